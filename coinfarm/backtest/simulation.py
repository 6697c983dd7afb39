"""Orders, to what the market makes of them, to trades: vectorised.

What becomes of one order depends on the candles after it alone, not on the other orders: so all are followed at once, step by step
through their horizons. Which of them are made, one position at a time, is then a walk from trade to trade.
`coinfarm.backtest.reference` says the same slowly, candle by candle.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from coinfarm.backtest.coin import Indices, Mask
from coinfarm.backtest.strategy import Market
from coinfarm.backtest.trades import HORIZON, STOP, TAKE_PROFIT, Trades
from coinfarm.candles.arrays import Times, Values
from coinfarm.candles.candles import Candles

_ORDERS_AT_ONCE = 100_000


@dataclass(frozen=True, eq=False)
class Orders:
    """What would be done at some closes of one coin, every column `(n,)`, in order of time.

    `signal` is the index of the candle at whose close it is decided; `side` 1 or -1; `stop_pct` and `take_pct` the distances of the two
    exit orders from the entry's price, in percent of it, infinite where there is none; `hold` after how many candles the position is left
    at the latest; `stake` how much is wanted, in the quote currency.
    """

    signal: Indices
    side: NDArray[np.int8]
    stop_pct: Values
    take_pct: Values
    hold: Indices
    stake: Values

    def __len__(self) -> int:
        return len(self.signal)

    def rows(self, chosen: Mask | Indices | slice) -> "Orders":
        return Orders(
            self.signal[chosen], self.side[chosen], self.stop_pct[chosen], self.take_pct[chosen], self.hold[chosen], self.stake[chosen]
        )


class Span(NamedTuple):
    """When orders of one coin bind its position: the indices of the candles at whose close they are decided and in which they end,
    `(n,)`, in order of time, and when the coin's candles open.
    """

    signal: Indices
    exit_at: Indices
    open_time: Times


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What each order of one coin comes to if it is made, every column `(n,)`, as in `Trades`; `exit_at` is the index of the exit's candle.

    Orders that cannot be made, or whose end the candles do not tell, are left out.
    """

    candles: Candles
    orders: Orders
    exit_at: Indices
    exit_price: Values
    reason: NDArray[np.int8]
    stake: Values

    def __len__(self) -> int:
        return len(self.exit_at)

    @property
    def span(self) -> Span:
        return Span(self.orders.signal, self.exit_at, self.candles.open_time)

    def rows(self, chosen: Mask | Indices | slice) -> "Outcomes":
        return Outcomes(
            self.candles,
            self.orders.rows(chosen),
            self.exit_at[chosen],
            self.exit_price[chosen],
            self.reason[chosen],
            self.stake[chosen],
        )


def follow(candles: Candles, orders: Orders, market: Market) -> Outcomes:
    """What becomes of each order on the unbroken `candles`, by the rules of the market at their most pessimistic."""
    stake = _stakes(candles, orders, market)
    tradable_from = next_traded(candles)
    last = len(candles) - 1
    due = orders.signal + 1 + orders.hold
    # Where the candles end before the horizon does, only losers and winners that come early would be known: the order is left out.
    possible = (stake > 0) & (due <= last)
    possible[possible] = tradable_from[due[possible]] <= last
    orders, stake, due = orders.rows(possible), stake[possible], due[possible]
    # In a filled candle nobody traded: an exit that is due in one waits for the next real one.
    exit_at = tradable_from[due]
    exit_price = candles.columns.open[exit_at]
    reason = np.full(len(orders), HORIZON, np.int8)
    entry_price = candles.columns.open[orders.signal + 1]
    for side in (1, -1):
        path = _Path(candles, side)
        for first in range(0, len(orders), _ORDERS_AT_ONCE):
            part = first + np.flatnonzero(orders.side[first : first + _ORDERS_AT_ONCE] == side)
            stop = side * entry_price[part] * (1.0 - side * orders.stop_pct[part] / 100.0)
            take = side * entry_price[part] * (1.0 + side * orders.take_pct[part] / 100.0)
            path.leave_early(part, orders, stop, take, exit_at, exit_price, reason)
    return Outcomes(candles, orders, exit_at, exit_price, reason, stake)


def next_traded(candles: Candles) -> Indices:
    """`(n + 1,)`: the first candle at or after each that somebody traded in; `n` where there is none."""
    count = len(candles)
    at = np.append(np.where(candles.filled, count, np.arange(count)), count)
    following: Indices = np.minimum.accumulate(at[::-1])[::-1]
    return following


def trades_of(
    symbols: tuple[str, ...], outcomes: Sequence[Outcomes], market: Market, positions_per_coin: int = 1, max_positions: int | None = None
) -> Trades:
    """The trades that come about: orders are made as they come, in the coins' order where they come at once, as long as there is room."""
    taken = schedule([each.span for each in outcomes], positions_per_coin, max_positions)
    return Trades.together([booked(symbols, coin, each.rows(rows), market) for coin, (each, rows) in enumerate(zip(outcomes, taken))])


def schedule(spans: Sequence[Span], positions_per_coin: int = 1, max_positions: int | None = None) -> list[Indices]:
    """Which orders of each coin are made, as indices into its span; the next is decided at the close of an exit's candle, or later."""
    if positions_per_coin == 1 and (max_positions is None or max_positions >= len(spans)):
        return [_one_at_a_time(span) for span in spans]
    return _several_at_a_time(spans, positions_per_coin, max_positions)


def booked(symbols: tuple[str, ...], coin: int, outcomes: Outcomes, market: Market) -> Trades:
    """All of the outcomes, as trades of the coin with that index among the symbols."""
    candles, orders = outcomes.candles, outcomes.orders
    side = orders.side.astype(np.float64)
    entry_price, exit_price, stake = candles.columns.open[orders.signal + 1], outcomes.exit_price, outcomes.stake
    at_market = outcomes.reason != TAKE_PROFIT
    slippage, fees = costs(side, entry_price, exit_price, stake, at_market, market)
    # At the horizon one leaves at the candle's open; when a stop or a take-profit was filled within its candle, nobody can say.
    lasted_ms = np.where(outcomes.reason == HORIZON, 0, candles.interval_ms)
    return Trades(
        symbols,
        np.full(len(outcomes), coin, np.int64),
        orders.signal,
        candles.open_time[orders.signal + 1],
        candles.open_time[outcomes.exit_at] + lasted_ms,
        orders.side,
        outcomes.reason,
        entry_price,
        exit_price,
        stake,
        side * stake * (exit_price / entry_price - 1.0),
        slippage,
        fees,
    )


def costs(side: Values, entry_price: Values, exit_price: Values, stake: Values, at_market: Mask, market: Market) -> tuple[Values, Values]:
    """Slippage and fees of round trips, `(n,)` each. `at_market` tells exits by a market order from those by a limit order."""
    slip = market.slippage_bps / 10_000.0
    amount = stake / entry_price
    exit_slip = np.where(at_market, slip, 0.0)
    slippage = amount * (entry_price * slip + exit_price * exit_slip)
    # Fees are on both sides. Entries, stops and exits at the horizon take what the book offers; a take-profit rests in the book.
    exit_fee = np.where(at_market, market.taker_fee_bps, market.maker_fee_bps) / 10_000.0
    paid_in = entry_price * (1.0 + side * slip) * market.taker_fee_bps / 10_000.0
    paid_out = exit_price * (1.0 - side * exit_slip) * exit_fee
    return slippage, amount * (paid_in + paid_out)


def _stakes(candles: Candles, orders: Orders, market: Market) -> Values:
    """What can be staked at the next candle's open; 0 where nothing can."""
    entry_at = np.minimum(orders.signal + 1, len(candles) - 1)
    open_price, volume = candles.columns.open[entry_at], candles.columns.volume[entry_at]
    # No more than a share of what was traded in that candle: whoever wants more moves the price.
    stake = np.minimum(orders.stake, market.volume_share_pct / 100.0 * volume * open_price)
    # Nobody traded in a filled candle: an order that would be filled there lapses.
    stake[candles.filled[entry_at] | (stake < market.min_order) | (orders.signal + 1 >= len(candles))] = 0.0
    return stake


class _Path:
    """Prices as a position sees them: for a short one turned upside down, so that its stop lies below, too."""

    def __init__(self, candles: Candles, side: int) -> None:
        columns = candles.columns
        high, low = (columns.high, columns.low) if side > 0 else (columns.low, columns.high)
        self.side = side
        self.open = side * columns.open
        # Nothing can be filled in a candle that nobody traded in.
        self.best = np.where(candles.filled, -np.inf, side * high)
        self.worst = np.where(candles.filled, np.inf, side * low)

    def leave_early(
        self,
        rows: Indices,
        orders: Orders,
        stop: Values,
        take: Values,
        exit_at: Indices,
        exit_price: Values,
        reason: NDArray[np.int8],
    ) -> None:
        """Write into the three last, for the orders `rows`, where one leaves before the horizon."""
        bounded = np.isfinite(stop) | np.isfinite(take)
        rows, stop, take = rows[bounded], stop[bounded], take[bounded]
        candle, left = orders.signal[rows] + 1, orders.hold[rows]
        while len(rows):
            open_price = self.open[candle]
            stopped = self.worst[candle] <= stop
            # A limit order is sure to be filled only where the price went beyond it: at the price itself others stand before it in the
            # queue. And where one candle reaches both, the stop came first.
            taken = (self.best[candle] > take) & ~stopped
            # A gap through the stop is filled at the open, which is worse; a gap through the take-profit gives nothing above it.
            price = np.where(stopped, np.minimum(open_price, stop), take)
            done = stopped | taken
            gone = rows[done]
            exit_at[gone] = candle[done]
            exit_price[gone] = self.side * price[done]
            reason[gone] = np.where(stopped[done], STOP, TAKE_PROFIT)
            going = ~done & (left > 1)
            rows, stop, take, candle, left = rows[going], stop[going], take[going], candle[going] + 1, left[going] - 1


def _one_at_a_time(span: Span) -> Indices:
    following = np.searchsorted(span.signal, span.exit_at).tolist()
    taken, at = [], 0
    while at < len(following):
        taken.append(at)
        at = following[at]
    return np.array(taken, np.int64)


def _several_at_a_time(spans: Sequence[Span], positions_per_coin: int, max_positions: int | None) -> list[Indices]:
    signals = [span.open_time[span.signal] for span in spans]
    ends: list[list[int]] = [span.open_time[span.exit_at].tolist() for span in spans]
    room = len(spans) * positions_per_coin if max_positions is None else max_positions
    held: list[list[int]] = [[] for _ in spans]
    taken: list[list[int]] = [[] for _ in spans]
    waiting = [(int(times[0]), coin, 0) for coin, times in enumerate(signals) if len(times)]
    heapq.heapify(waiting)
    while waiting:
        now_ms, coin, at = heapq.heappop(waiting)
        for positions in held:
            while positions and positions[0] <= now_ms:
                heapq.heappop(positions)
        following = at + 1
        if len(held[coin]) >= positions_per_coin:
            following = _first_from(signals[coin], held[coin][0])
        elif sum(map(len, held)) >= room:
            following = _first_from(signals[coin], min(positions[0] for positions in held if positions))
        else:
            taken[coin].append(at)
            heapq.heappush(held[coin], ends[coin][at])
        if following < len(signals[coin]):
            heapq.heappush(waiting, (int(signals[coin][following]), coin, following))
    return [np.array(rows, np.int64) for rows in taken]


def _first_from(times: Times, time_ms: int) -> int:
    return int(np.searchsorted(times, time_ms))
