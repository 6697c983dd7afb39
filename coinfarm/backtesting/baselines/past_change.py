"""Momentum and reversal: entries where the change over the last horizon is large, compared with the changes before it."""

import heapq
from bisect import bisect_left, bisect_right

import numpy as np

from coinfarm.backtesting.baselines.opportunities import ExitTimes, Opportunities
from coinfarm.backtesting.baselines.trade_plan import TradePlan
from coinfarm.backtesting.execution.orders import Orders, merge_orders
from coinfarm.backtesting.predicted_coin import Indices, PredictedCoin
from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles

_TRAILING = 4_000
"""The number of past candles that a change is compared with."""
_UPDATED_EVERY = 1_000
_ROWS_AT_ONCE = 250
_FULL_SHARE = 0.25
"""If the trades that are left need more than this share of the time that is left, they no longer wait for those of the strategy."""
_SHARE_VALID = 0.05
"""The part of the time left after which the share of those trades is computed again: it rises quickly in the end."""
_MARGIN_TRADES = 10.0
"""The trades are to end so many mean holding times before the end of the period."""


class PastChange:
    """The changes of one coin over the last horizon, and the opportunities in their direction.

    Each trade of the strategy allows one trade here. It is entered at the next prediction where the change is among the largest share of
    the past ones. The share is how often the strategy has traded so far, times the number of allowed trades that have not been entered: a
    baseline that falls behind takes smaller changes. Of the future it knows nothing but the number of trades, so that it ends with as many.
    """

    def __init__(self, coin: PredictedCoin, of_side: dict[int, Opportunities], exits: ExitTimes, horizon: int) -> None:
        self._coin, self._of_side, self._exits = coin, of_side, exits
        self._change = _changes(coin.candles, horizon)
        self._rank = np.nan_to_num(trailing_rank(np.abs(self._change)), nan=-1.0)
        self._sign = np.sign(self._change)

    def orders(self, plan: TradePlan, direction: int, per_coin: int) -> Orders:
        """As many orders as the `plan`, which has the strategy's trades of this coin, with their holding times and stakes, one after the
        other: in the direction of the change, or with a `direction` of -1 against it.
        """
        if not len(plan) or not len(self._coin):
            return merge_orders([each.orders(np.zeros(0, np.int64), plan.hold[:0], plan.stake[:0]) for each in self._of_side.values()])
        pace = _Pace(self._coin, plan, per_coin, len(self._of_side))
        sides, rows = _enter(pace, plan, self._of_side, self._choices(direction), self._exits)
        parts = []
        for side, opportunities in self._of_side.items():
            chosen = np.flatnonzero(sides == side)
            parts.append(opportunities.orders(rows[chosen], plan.hold[chosen], plan.stake[chosen]))
        return merge_orders(parts)

    def _choices(self, direction: int) -> "_Choices":
        """The opportunities in the direction of the change."""
        parts = []
        for side, opportunities in self._of_side.items():
            rows = np.flatnonzero(self._sign[opportunities.signal] == direction * side)
            signal = opportunities.signal[rows]
            parts.append((signal, self._rank[signal], np.full(len(rows), side), rows))
        if len(parts) == 1:
            return _Choices(*parts[0])
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
        order = np.argsort(columns[0], kind="stable")
        return _Choices(*(column[order] for column in columns))


def trailing_rank(strength: Values) -> Values:
    """`(n,)`: the share of the past values that are smaller than each one; NaN while there are none.

    The past values are the last `_TRAILING`, as of the last multiple of `_UPDATED_EVERY` (of 10 at the beginning).
    """
    rank = np.full(len(strength), np.nan)
    first = 10
    while first < len(strength):
        stop = first + (_UPDATED_EVERY if first >= _UPDATED_EVERY else 10)
        past = np.sort(strength[max(0, first - _TRAILING) : first])
        rank[first:stop] = np.searchsorted(past, strength[first:stop]) / len(past)
        first = stop
    return rank


class _Choices:
    """The predictions at which a position of either side can be opened, in order of time."""

    def __init__(self, signal: Indices, rank: Values, side: Indices, row: Indices) -> None:
        self.signal: list[int] = signal.tolist()
        self.rank, self.side, self.row = rank, side, row

    def first_ranked(self, at: int, stop: int, min_rank: float) -> int | None:
        """The first of these choices with at least this rank."""
        reached = self.rank[at:stop] >= min_rank
        first = int(reached.argmax())
        return at + first if reached[first] else None


def _changes(candles: Candles, horizon: int) -> Values:
    close = candles.columns.close
    change = np.zeros(len(close))
    change[horizon:] = close[horizon:] / close[: max(0, len(close) - horizon)] - 1.0
    return change


def _enter(
    pace: "_Pace", plan: TradePlan, of_side: dict[int, Opportunities], choices: _Choices, exits: ExitTimes
) -> tuple[Indices, Indices]:
    """The sides and rows of the opportunities at which the trades of the plan are entered, one after the other."""
    open_until: list[int] = []
    sides: list[int] = []
    rows: list[int] = []
    holds, signals, at = plan.hold.tolist(), choices.signal, 0
    while len(rows) < len(holds) and at < len(signals):
        signal = signals[at]
        while open_until and open_until[0] <= signal:
            heapq.heappop(open_until)
        if len(open_until) >= pace.per_coin:
            at = max(at + 1, bisect_left(signals, open_until[0]))
            continue
        share, valid_until = pace.share(signal, len(rows))
        stop = max(at + 1, bisect_left(signals, min(valid_until, signal + _ROWS_AT_ONCE), at))
        found = choices.first_ranked(at, stop, 1.0 - share) if share > 0.0 else None
        if share <= 0.0:
            stop = max(at + 1, bisect_left(signals, valid_until, at))
        at = stop
        if found is None:
            continue
        at = found + 1
        side, row = int(choices.side[found]), int(choices.row[found])
        opportunities = of_side[side]
        entry_at = int(opportunities.entry_at[row])
        if not opportunities.filled[row]:
            heapq.heappush(open_until, entry_at)
            continue
        exit_at = exits.exit_of(entry_at, holds[len(rows)], float(opportunities.room[row] / opportunities.price[row]))
        if exit_at < exits.count:
            heapq.heappush(open_until, exit_at)
            sides.append(side)
            rows.append(row)
    return np.array(sides, np.int64), np.array(rows, np.int64)


class _Pace:
    """How large a share of the changes is traded, so that the trades come about when the strategy's do."""

    def __init__(self, coin: PredictedCoin, plan: TradePlan, per_coin: int, sides: int) -> None:
        self.per_coin, self._sides = per_coin, sides
        self._signals: list[int] = plan.signal.tolist()
        self._first, self._last = int(coin.signal[0]), int(coin.signal[-1])
        self._candles_per_row = (self._last - self._first + 1) / len(coin)
        self._held: list[float] = np.append(0.0, np.cumsum((plan.hold + 1) / self._candles_per_row) / per_coin).tolist()
        # The last trades are not left to the last moment, in which the change may have the wrong sign.
        self._margin = min(0.1 * len(coin), _MARGIN_TRADES * self._held[-1] / len(plan))

    def share(self, signal: int, done: int) -> tuple[float, int]:
        """The share at a signal candle after `done` trades, and the candle from which on another one applies."""
        total = len(self._signals)
        allowed = bisect_right(self._signals, signal)
        following = self._signals[allowed] if allowed < total else self._last + 1
        rows_left = (self._last - signal) / self._candles_per_row + 1.0 - self._margin
        needed = self._held[total] - self._held[done]
        share = 0.0
        if needed > _FULL_SHARE * rows_left:
            share = (total - done) / max(1.0, rows_left - needed)
            following = min(following, signal + max(1, int(_SHARE_VALID * rows_left * self._candles_per_row)))
        else:
            late = self._last + (1.0 - self._margin - needed / _FULL_SHARE) * self._candles_per_row
            following = min(following, max(signal + 1, int(late) + 1))
        if allowed > done:
            passed = (signal - self._first) / self._candles_per_row + 1.0 - self._held[allowed - 1]
            share = max(share, (allowed - done) * allowed / max(1.0, passed))
        # If only one side is possible, half of the changes do not count.
        return min(1.0, share * 2.0 / self._sides), following
