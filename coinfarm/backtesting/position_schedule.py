"""The orders that become positions when the number of open positions is limited."""

import heapq
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from coinfarm.backtesting.predicted_coin import Indices
from coinfarm.candles.arrays import Times


class Holdings(NamedTuple):
    """When each order of one coin would hold a position: the indices of its signal candle and of its exit candle, `(n,)`, in order of time,
    and the open times of the coin's candles.
    """

    signal: Indices
    exit_at: Indices
    open_time: Times


def schedule(holdings: Sequence[Holdings], positions_per_coin: int = 1, max_positions: int | None = None) -> list[Indices]:
    """Indices of each coin's orders that become positions. First come, first served; at the same time, in the coins' order.

    A position that ends in a candle frees its place for signals from that candle's close on.
    """
    if positions_per_coin == 1 and (max_positions is None or max_positions >= len(holdings)):
        return [_schedule_single(each) for each in holdings]
    return _schedule_limited(holdings, positions_per_coin, max_positions)


def _schedule_single(holdings: Holdings) -> Indices:
    """One position at a time, independent of other coins."""
    following = np.searchsorted(holdings.signal, holdings.exit_at).tolist()
    taken, at = [], 0
    while at < len(following):
        taken.append(at)
        at = following[at]
    return np.array(taken, np.int64)


def _schedule_limited(holdings: Sequence[Holdings], positions_per_coin: int, max_positions: int | None) -> list[Indices]:
    signals = [each.open_time[each.signal] for each in holdings]
    ends: list[list[int]] = [each.open_time[each.exit_at].tolist() for each in holdings]
    limit = len(holdings) * positions_per_coin if max_positions is None else max_positions
    open_until: list[list[int]] = [[] for _ in holdings]
    taken: list[list[int]] = [[] for _ in holdings]
    queue = [(int(times[0]), coin, 0) for coin, times in enumerate(signals) if len(times)]
    heapq.heapify(queue)
    while queue:
        now_ms, coin, at = heapq.heappop(queue)
        for positions in open_until:
            while positions and positions[0] <= now_ms:
                heapq.heappop(positions)
        following = at + 1
        if len(open_until[coin]) >= positions_per_coin:
            following = _first_from(signals[coin], open_until[coin][0])
        elif sum(map(len, open_until)) >= limit:
            following = _first_from(signals[coin], min(positions[0] for positions in open_until if positions))
        else:
            taken[coin].append(at)
            heapq.heappush(open_until[coin], ends[coin][at])
        if following < len(signals[coin]):
            heapq.heappush(queue, (int(signals[coin][following]), coin, following))
    return [np.array(rows, np.int64) for rows in taken]


def _first_from(times: Times, time_ms: int) -> int:
    return int(np.searchsorted(times, time_ms))
