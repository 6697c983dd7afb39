"""The orders that become positions when the open positions are limited."""

import heapq
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from coinfarm.backtesting.predicted_coin import Indices
from coinfarm.candles.arrays import Times, Values

_ROUNDING = 1.0 + 1e-9
"""For sums of stakes that reach a limit exactly."""


class PositionLimits(NamedTuple):
    """The maximum number of open positions, for each coin and in total, and the maximum of their stakes, likewise, in the quote currency.
    None is no limit.
    """

    per_coin: int = 1
    total: int | None = None
    coin_exposure: float | None = None
    total_exposure: float | None = None


ONE_PER_COIN = PositionLimits()
"""One position at a time for each coin."""


class Holdings(NamedTuple):
    """When each order of one coin would hold a position or wait for it, and its stake: the indices of its signal candle and of its exit
    candle, or of that in which it is cancelled, `(n,)`, in order of time, and the open times of the coin's candles.
    """

    signal: Indices
    exit_at: Indices
    stake: Values
    open_time: Times


def schedule(holdings: Sequence[Holdings], limits: PositionLimits = ONE_PER_COIN) -> list[Indices]:
    """Indices of each coin's orders that are placed. First come, first served; at the same time, in the coins' order.

    A position that ends in a candle frees its place for signals from that candle's close on; so does an order that is cancelled in it. An
    order that would exceed a limit is not placed.
    """
    any_number = limits.total is None or limits.total >= len(holdings)
    if limits.per_coin == 1 and any_number and limits.coin_exposure is None and limits.total_exposure is None:
        return [_schedule_single(each) for each in holdings]
    return _schedule_limited(holdings, limits)


def _schedule_single(holdings: Holdings) -> Indices:
    """One position at a time, independent of other coins."""
    first_after = np.searchsorted(holdings.signal, holdings.exit_at)
    if (first_after <= np.arange(1, len(first_after) + 1)).all():  # none overlap
        return np.arange(len(first_after))
    following = first_after.tolist()
    taken, at, count = [], 0, len(following)
    while at < count:
        taken.append(at)
        at = following[at]
    return np.array(taken, np.int64)


def _schedule_limited(holdings: Sequence[Holdings], limits: PositionLimits) -> list[Indices]:
    signals = [each.open_time[each.signal] for each in holdings]
    ends: list[list[int]] = [each.open_time[each.exit_at].tolist() for each in holdings]
    stakes: list[list[float]] = [each.stake.tolist() for each in holdings]
    total = len(holdings) * limits.per_coin if limits.total is None else limits.total
    open_until: list[list[tuple[int, float]]] = [[] for _ in holdings]
    taken: list[list[int]] = [[] for _ in holdings]
    queue = [(int(times[0]), coin, 0) for coin, times in enumerate(signals) if len(times)]
    heapq.heapify(queue)
    while queue:
        now_ms, coin, at = heapq.heappop(queue)
        for positions in open_until:
            while positions and positions[0][0] <= now_ms:
                heapq.heappop(positions)
        following = at + 1
        if len(open_until[coin]) >= limits.per_coin:
            following = _first_from(signals[coin], open_until[coin][0][0])
        elif sum(map(len, open_until)) >= total:
            following = _first_from(signals[coin], min(positions[0][0] for positions in open_until if positions))
        elif _within_exposure(open_until, coin, stakes[coin][at], limits):
            taken[coin].append(at)
            heapq.heappush(open_until[coin], (ends[coin][at], stakes[coin][at]))
        if following < len(signals[coin]):
            heapq.heappush(queue, (int(signals[coin][following]), coin, following))
    return [np.array(rows, np.int64) for rows in taken]


def _within_exposure(open_until: list[list[tuple[int, float]]], coin: int, stake: float, limits: PositionLimits) -> bool:
    of_coin = stake + sum(staked for _, staked in open_until[coin])
    if limits.coin_exposure is not None and of_coin > limits.coin_exposure * _ROUNDING:
        return False
    if limits.total_exposure is None:
        return True
    return stake + sum(staked for positions in open_until for _, staked in positions) <= limits.total_exposure * _ROUNDING


def _first_from(times: Times, time_ms: int) -> int:
    return int(np.searchsorted(times, time_ms))
