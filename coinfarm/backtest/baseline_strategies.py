"""What needs no model, or no luck: rules to compare the strategy with, on the same candles, at the same costs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coinfarm.backtest.coin import Coin, Indices
from coinfarm.backtest.period import DAY_MS
from coinfarm.backtest.simulation import Orders, follow, trades_of
from coinfarm.backtest.strategy import Strategy
from coinfarm.backtest.trades import Trades
from coinfarm.candles.arrays import Values

_DRAWS = 5
"""How often what is random is drawn; the trades of all draws are counted together."""
_MIN_BLOCKS = 20

Trade = Callable[[Sequence[Coin]], Trades]
"""The strategy itself, on coins with other predictions."""


@dataclass(frozen=True, eq=False)
class Baseline:
    """`trades` are those of `draws` runs together."""

    name: str
    meaning: str
    trades: Trades
    draws: int = 1


@dataclass(frozen=True, eq=False)
class Setting:
    """What a baseline is made from: the judged coins, the strategy, its trades and how many signals it has of each coin, and its stake."""

    coins: Sequence[Coin]
    strategy: Strategy
    trades: Trades
    signals: Sequence[int]
    full_stake: float
    trade: Trade
    seed: int = 0


def baselines(setting: Setting) -> tuple[Baseline, ...]:
    """All of them, those that one would hope to beat first, and perfect foresight last."""
    return (
        Baseline("always long", "buys whenever it holds nothing, and sells at the horizon", _always_long(setting)),
        Baseline("random entries", "as often, as long and as often long as the strategy, at random times", _random(setting), _DRAWS),
        Baseline("momentum", "follows the last horizon's change, where it was largest, as often as the strategy", _past_change(setting, 1)),
        Baseline("reversal", "bets against the last horizon's change, likewise", _past_change(setting, -1)),
        Baseline("shuffled labels", "the strategy, on predictions of other days, drawn at random", _shuffled(setting), _DRAWS),
        Baseline(
            "perfect foresight, all trades",
            "knows the price at the end of each horizon, uses no stops and takes every trade that pays its costs, small gains too: "
            "so its average per trade is no upper limit",
            _foresight(setting),
        ),
    )


def _always_long(setting: Setting) -> Trades:
    horizon = setting.strategy.exit.horizon_candles
    return _made(setting, [_held(coin.signal, np.ones(len(coin), np.int8), horizon, setting.full_stake) for coin in setting.coins])


def _random(setting: Setting) -> Trades:
    generator = np.random.default_rng(setting.seed)
    return Trades.together(
        [_made(setting, [_random_orders(setting, at, generator) for at in range(len(setting.coins))]) for _ in range(_DRAWS)]
    )


def _random_orders(setting: Setting, at: int, generator: np.random.Generator) -> Orders:
    """The strategy's trades of one coin, in another order and with other pauses between them."""
    coin, trades = setting.coins[at], setting.trades.rows(setting.trades.coin == at)
    if not len(trades):
        return _held(coin.signal[:0], np.zeros(0, np.int8), 1, setting.full_stake)
    held = np.maximum(1, (trades.exit_ms - trades.entry_ms) // coin.candles.interval_ms)
    order = generator.permutation(len(trades))
    held, side = held[order], trades.side[order]
    rows_per_candle = len(coin) / max(1, coin.signal[-1] - coin.signal[0] + 1)
    rows_held = np.ceil((held + 1) * rows_per_candle).astype(np.int64)
    free = max(0, len(coin) - int(rows_held.sum()))
    pauses = np.sort(generator.integers(0, free + 1, len(trades)))
    row = np.minimum(pauses + np.append(0, np.cumsum(rows_held)[:-1]), len(coin) - 1)
    row, first = np.unique(row, return_index=True)
    return _held(coin.signal[row], side[first], held[first], setting.full_stake)


def _past_change(setting: Setting, direction: int) -> Trades:
    horizon = setting.strategy.exit.horizon_candles
    asked = []
    for coin, signals in zip(setting.coins, setting.signals, strict=True):
        close = coin.candles.columns.close
        known = coin.signal >= horizon
        signal = coin.signal[known]
        change = direction * (close[signal] / close[signal - horizon] - 1.0)
        strength = np.abs(change) if setting.strategy.entry.allow_short else change
        rows = np.sort(np.argsort(-strength, kind="stable")[:signals])
        rows = rows[strength[rows] > 0]
        asked.append(_held(signal[rows], np.sign(change[rows]).astype(np.int8), horizon, setting.full_stake))
    return _made(setting, asked)


def _shuffled(setting: Setting) -> Trades:
    """Days, or a twentieth of what there is, stay whole: a shuffle of single predictions would lose what is alike in those of one hour."""
    generator = np.random.default_rng(setting.seed + 1)
    return Trades.together([setting.trade([_with_blocks_exchanged(coin, generator) for coin in setting.coins]) for _ in range(_DRAWS)])


def _with_blocks_exchanged(coin: Coin, generator: np.random.Generator) -> Coin:
    time_ms = coin.signal_ms
    block_ms = min(DAY_MS, max(1, int(time_ms[-1] - time_ms[0]) // _MIN_BLOCKS)) if len(coin) else DAY_MS
    blocks = np.split(np.arange(len(coin)), np.flatnonzero(np.diff(time_ms // block_ms)) + 1)
    order = generator.permutation(len(blocks))
    return coin.predicting(coin.predicted_pct[np.concatenate([blocks[at] for at in order])])


def _foresight(setting: Setting) -> Trades:
    """Without stops: whoever knows where a horizon ends sits through what comes before."""
    horizon, market = setting.strategy.exit.horizon_candles, setting.strategy.market
    least = 2.0 * (market.taker_fee_bps + market.slippage_bps) / 1e4
    asked = []
    for coin in setting.coins:
        open_price = coin.candles.columns.open
        signal = coin.signal[coin.signal + 1 + horizon < len(coin.candles)]
        change = open_price[signal + 1 + horizon] / open_price[signal + 1] - 1.0
        worth_it = np.abs(change) > least if setting.strategy.entry.allow_short else change > least
        asked.append(_held(signal[worth_it], np.sign(change[worth_it]).astype(np.int8), horizon, setting.full_stake))
    return _made(setting, asked)


def _held(signal: Indices, side: NDArray[np.int8], hold: int | Indices, stake: float) -> Orders:
    """Orders that are left after `hold` candles, and not before."""
    never: Values = np.full(len(signal), np.inf)
    return Orders(signal, side, never, never, np.broadcast_to(np.asarray(hold, np.int64), signal.shape), np.full(len(signal), stake))


def _made(setting: Setting, orders: list[Orders]) -> Trades:
    size, market = setting.strategy.size, setting.strategy.market
    outcomes = [follow(coin.candles, asked, market) for coin, asked in zip(setting.coins, orders, strict=True)]
    return trades_of(setting.trades.symbols, outcomes, market, size.positions_per_coin, size.max_positions)
