"""What the data show about the meaning of columns: which are prices, which is the open, whether a volume counts coins."""

from typing import NamedTuple

import numpy as np

from coinfarm.candles.arrays import Times, Values

_MIN_ROWS = 5
_MIN_MOVES = 8
_MIN_VOLUMES = 10
_MAX_JUMP_RANGES = 5
_MIN_JUMP = 0.01
_SHARE = 0.95
_MAX_RANGE = 1.5
"""Candles whose high is more times their low say nothing about what lies between."""
_CONTRACT_DOLLARS = (10.0, 100.0)
"""What a coin-margined contract of Binance is worth."""


class Prices(NamedTuple):
    """Open, high, low and close, float64 `(n,)` each, oldest first, without NaN."""

    open: Values
    high: Values
    low: Values
    close: Values


def in_order(prices: Prices) -> bool:
    """Whether the high is the largest and the low the smallest price, in nearly all rows."""
    top, bottom = np.maximum(prices.open, prices.close), np.minimum(prices.open, prices.close)
    return _share((prices.high >= top) & (prices.low <= bottom)) >= 0.9


def opens_follow_closes(prices: Prices, open_time: Times, step_ms: int) -> bool | None:
    """Whether candles open where the one before closed. False if it is the other way round, None if the data do not tell.

    In a market a candle opens near the last close; if open and close were exchanged, it would seem to close where the next one opened.
    """
    adjacent = np.diff(open_time) == step_ms
    forward = np.abs(prices.open[1:] - prices.close[:-1])[adjacent]
    backward = np.abs(prices.close[1:] - prices.open[:-1])[adjacent]
    if np.count_nonzero(forward != backward) < _MIN_MOVES:
        return None
    moves = backward + forward
    scale = 20 * np.median(moves[moves > 0])  # so that one bad tick does not decide
    forward, backward = np.minimum(forward, scale).sum(), np.minimum(backward, scale).sum()
    if forward < 0.8 * backward:
        return True
    return False if backward < 0.8 * forward else None


def jumps_between_candles(prices: Prices, open_time: Times, step_ms: int) -> bool:
    """Whether prices move much more from one candle to the next than within candles, as where two series alternate."""
    adjacent = np.diff(open_time) == step_ms
    if np.count_nonzero(adjacent) < _MIN_MOVES:
        return False
    between = np.median(np.abs(prices.open[1:] - prices.close[:-1])[adjacent])
    within = np.median(prices.high - prices.low)
    is_large = between > _MIN_JUMP * np.median(prices.close)  # not the spread of a market with few trades
    return bool(within > 0 and is_large and between > _MAX_JUMP_RANGES * within)


def is_price(values: Values, prices: Prices) -> bool:
    """Whether a column lies between low and high, as a volume-weighted price does and a volume does not. Rows of zero do not count."""
    traded = values != 0
    slack = 1e-6 * prices.high
    inside = (values >= prices.low - slack) & (values <= prices.high + slack) & traded
    count = np.count_nonzero(traded)
    if count < _MIN_ROWS or np.count_nonzero(inside) < _SHARE * count:
        return False
    return not is_wide(prices) and bool(np.ptp(values[traded]) > 0)


def is_wide(prices: Prices) -> bool:
    """Whether the high is far above the low in most candles, as where a volume is taken for a price."""
    return len(prices.high) >= _MIN_ROWS and bool(np.count_nonzero(prices.high > _MAX_RANGE * prices.low) > len(prices.high) // 2)


def volume_fault(volume: Values, prices: Prices) -> str:
    """Why a column is no volume: all candles have the same, or it follows the price; empty if nothing is wrong. Zeros do not count."""
    if is_price(volume, prices):
        return "the volume lies between low and high, as a price does"
    moves = np.count_nonzero(prices.high > prices.low) > len(volume) // 2
    traded = np.nan_to_num(volume) != 0
    if not moves or len(volume) < _MIN_VOLUMES:
        return ""
    if not traded.any():
        return "every volume is zero although prices move, as in index or mark prices, which are not of trades"
    if np.count_nonzero(traded) < _MIN_VOLUMES:
        return ""
    if np.ptp(volume[traded]) == 0:
        return f"every volume is {volume[traded][0]:.10g} although prices move"
    ratio = np.quantile(volume[traded] / prices.close[traded], [0.05, 0.5, 0.95])
    return "the volume is a multiple of the price, as a market capitalisation is" if ratio[2] - ratio[0] < 1e-3 * ratio[1] else ""


def is_value_of(quote: Values, volume: Values, prices: Prices) -> bool | None:
    """Whether one column is the other times the price. None if nothing was traded, or too few rows."""
    traded = (quote > 0) & (volume > 0)
    if np.count_nonzero(traded) < _MIN_ROWS:
        return None
    ratio = quote[traded] / volume[traded]
    inside = (ratio >= prices.low[traded] * 0.99) & (ratio <= prices.high[traded] * 1.01)
    return _share(inside) >= _SHARE


def contract_dollars(contracts: Values, coins: Values, prices: Prices) -> float | None:
    """What a contract is worth, if the coins are contracts of 10 or 100 dollars each; otherwise None."""
    traded = (contracts > 0) & (coins > 0)
    if np.count_nonzero(traded) < _MIN_ROWS:
        return None
    middle = (prices.high + prices.low)[traded] / 2
    worth = float(np.median(coins[traded] * middle / contracts[traded]))
    return next((dollars for dollars in _CONTRACT_DOLLARS if abs(worth / dollars - 1) < 0.02), None)


def is_close_time(close_time: Times, open_time: Times, step_ms: int) -> bool:
    """Whether a column of times is the end of each candle: the next open, or the last millisecond (or second) before."""
    length = close_time - open_time
    return _share((length == step_ms) | (length == step_ms - 1) | (length == step_ms - 1000)) >= 0.98


def commonest_step(open_time: Times) -> tuple[int, int]:
    """The commonest difference of sorted times in milliseconds, and how many there are. (0, 0) for fewer than two times."""
    steps = np.diff(open_time)
    steps = steps[steps > 0]
    if not len(steps):
        return 0, 0
    values, counts = np.unique(steps, return_counts=True)
    at = int(counts.argmax())
    return int(values[at]), int(counts[at])


def _share(mask: "np.typing.NDArray[np.bool_]") -> float:
    return float(mask.mean()) if len(mask) else 1.0
