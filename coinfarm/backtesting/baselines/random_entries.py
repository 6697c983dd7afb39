"""Entries at random or regular times: the strategy's trades laid out again on the same period."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from coinfarm.backtesting.baselines.opportunities import ExitTimes, Opportunities
from coinfarm.backtesting.baselines.trade_plan import TradePlan
from coinfarm.backtesting.execution.orders import Orders, merge_orders
from coinfarm.backtesting.predicted_coin import Indices
from coinfarm.candles.arrays import Times, Values

_ATTEMPTS = 4
"""If trades are left over at the end of the period, they are laid out again this many times."""
_PASSES = 30

Sides = NDArray[np.int8]


class _Choices:
    """The filled opportunities of one coin and side, with their times in candles since 1970."""

    def __init__(self, opportunities: Opportunities, first_candle: int) -> None:
        self.rows = np.flatnonzero(opportunities.filled)
        self.time = opportunities.signal[self.rows] + first_candle
        self.entry_at = opportunities.entry_at[self.rows]
        self.amount = opportunities.room[self.rows] / opportunities.price[self.rows]


class Layouts:
    """Layouts of a plan's trades, in `sequences` in which no two trades overlap. `of_side[side]` are the opportunities of each coin."""

    def __init__(
        self,
        plan: TradePlan,
        sequences: Sequence[Indices],
        of_side: dict[int, list[Opportunities]],
        exits: Sequence[ExitTimes],
        first_candles: Sequence[int],
    ) -> None:
        self._plan, self._lanes, self._of_side, self._exits, self._first = plan, sequences, of_side, exits, first_candles
        self._choices = {side: [_Choices(*each) for each in zip(coins, first_candles, strict=True)] for side, coins in of_side.items()}
        self._grids = [self._grid(np.unique(plan.coin[sequence])) for sequence in sequences]
        self._held = [np.ceil((plan.hold + 1) / _stride(grid)) for grid in self._grids]

    def random_orders(self, generator: np.random.Generator) -> list[Orders]:
        """The trades in random order, with random pauses, as orders of each coin. The largest stakes are where there is the most room."""
        side, parts = self._plan.side, []
        for sequence, grid, held in zip(self._lanes, self._grids, self._held, strict=True):
            best: tuple[Indices, Indices] | None = None
            for _ in range(_ATTEMPTS):
                found = self._lay_out(generator.permutation(sequence), np.sort(generator.random(len(sequence))), side, grid, held)
                best = found if best is None or len(found[0]) > len(best[0]) else best
                if len(best[0]) == len(sequence):
                    break
            if best is not None:
                parts.append(best)
        return self._orders(parts, side, generator)

    def regular_orders(self, side: int) -> list[Orders]:
        """The trades in their order, with equal pauses, all of one side, as orders of each coin."""
        sides = np.full(len(self._plan), side, np.int8)
        parts = []
        for sequence, grid, held in zip(self._lanes, self._grids, self._held, strict=True):
            parts.append(self._lay_out(sequence, (np.arange(len(sequence)) + 0.5) / max(1, len(sequence)), sides, grid, held))
        return self._orders(parts, sides, None)

    def _grid(self, coins: Indices) -> Times:
        """The times at which an order can be filled for any of the coins."""
        times = [choices[coin].time for choices in self._choices.values() for coin in coins.tolist()]
        if not times:
            return np.zeros(0, np.int64)
        return times[0] if all(np.array_equal(each, times[0]) for each in times) else np.unique(np.concatenate(times))

    def _lay_out(self, sequence: Indices, pauses: Values, sides: Sides, grid: Times, held: Values) -> tuple[Indices, Indices]:
        """The trades of a sequence in that order that have a place, and the rows of their choices. `pauses` `(n,)` are the shares of the
        free time before each trade; `held` is the number of times in the `grid` that each trade of the plan takes up.
        """
        if not len(grid) or not len(sequence):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        held = held[sequence]
        free = max(0.0, len(grid) - float(held.sum()))
        start = np.floor(pauses * (free + 1.0)) + np.append(0.0, np.cumsum(held)[:-1])
        planned = grid[np.minimum(start, len(grid) - 1).astype(np.int64)]
        time, done = planned.copy(), 0
        # Trades that begin before the one before them ends are moved. That may take many passes: then, they are settled one by one.
        for _ in range(_PASSES):
            row, free_at = self._place(sequence, time, sides)
            late = np.flatnonzero(free_at[:-1] > time[1:])
            if not len(late):
                return sequence[row >= 0], row[row >= 0]
            time[1:] = np.maximum(planned[1:], free_at[:-1])
        done = int(late[0]) + 1
        for at in range(done, len(sequence)):
            one = slice(at, at + 1)
            time[one] = np.maximum(planned[one], free_at[at - 1])
            row[one], free_at[one] = self._place(sequence[one], time[one], sides)
        return sequence[row >= 0], row[row >= 0]

    def _place(self, sequence: Indices, time: Times, sides: Sides) -> tuple[Indices, Times]:
        """The rows of the first choices from each time on, and when the place is free again; a row of -1 if there is none."""
        row, free_at = np.full(len(sequence), -1, np.int64), time.copy()
        coins, side = self._plan.coin[sequence], sides[sequence]
        for each, of_coins in self._choices.items():
            for coin, choices in enumerate(of_coins):
                at = np.flatnonzero((coins == coin) & (side == each))
                if not len(at):
                    continue
                found = np.searchsorted(choices.time, time[at])
                inside = found < len(choices.time)
                at, found = at[inside], found[inside]
                exits = self._exits[coin]
                exit_at = exits.exit_at(choices.entry_at[found], self._plan.hold[sequence[at]], choices.amount[found])
                ends = exit_at < exits.count
                row[at[ends]], free_at[at[ends]] = found[ends], exit_at[ends] + self._first[coin]
        return row, free_at

    def _orders(self, parts: Sequence[tuple[Indices, Indices]], sides: Sides, generator: np.random.Generator | None) -> list[Orders]:
        """The trades of all sequences as orders of each coin."""
        trades = np.concatenate([np.zeros(0, np.int64), *(trades for trades, _ in parts)])
        rows = np.concatenate([np.zeros(0, np.int64), *(rows for _, rows in parts)])
        orders = []
        for coin in range(len(self._exits)):
            of_sides = []
            for side, opportunities in self._of_side.items():
                chosen = np.flatnonzero((self._plan.coin[trades] == coin) & (sides[trades] == side))
                of_coin, at = trades[chosen], self._choices[side][coin].rows[rows[chosen]]
                stake = self._plan.stake[of_coin]
                if generator is not None:
                    stake = _by_room(stake, opportunities[coin].room[at], generator)
                of_sides.append(opportunities[coin].orders(at, self._plan.hold[of_coin], stake))
            orders.append(merge_orders(of_sides))
        return orders


def _stride(grid: Times) -> float:
    """The usual number of candles from one time to the next."""
    return float(np.median(np.diff(grid[:10_000]))) if len(grid) > 1 else 1.0


def _by_room(stake: Values, room: Values, generator: np.random.Generator) -> Values:
    """The stakes in another order: the largest where there is the most room, and at random where there is enough for all."""
    if not len(stake) or stake.min() == stake.max():
        return stake
    order = np.lexsort((generator.random(len(room)), np.minimum(room, stake.max(initial=0.0))))
    permuted = np.empty(len(stake))
    permuted[order] = np.sort(stake)
    return permuted
