"""The windows of a shard: those that one prediction over the whole history would have there, to the bit."""

from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from coinfarm.backfill.shard import Shard
from coinfarm.candle_store.snapshot import CandleStoreSnapshot
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import DAY_MS
from coinfarm.candles.gaps import fill_gaps
from coinfarm.candles.interval import interval_ms
from coinfarm.prediction.series import Series
from image_render.spec import STANDARD
from image_render.windows import Columns

_BEFORE = STANDARD.window_candles - 1


@dataclass(frozen=True)
class ShardWindows:
    """What there is to predict of a shard, and how many of the windows asked for there are no 200 candles for.

    `series` is None where no window is left. `no_candles` windows end in a day without any candle, or before the history's first or after
    its last one; `too_few_before` have fewer than 199 candles before their last one, filled ones included.
    """

    series: Series | None
    no_candles: int
    too_few_before: int

    @property
    def digest(self) -> str:
        """Of the candles that the windows are made of, and of those that are missing: the first 16 hex digits of a sha256."""
        told = sha256(f"{self.no_candles} {self.too_few_before}".encode())
        if self.series is not None:
            candles = self.series.candles
            for column in (candles.open_time, *candles.columns, candles.filled):
                told.update(column.tobytes())
        return told.hexdigest()[:16]


def windows_of(shard: Shard, history: CandleStoreSnapshot) -> ShardWindows:
    """Holes are filled as `fill_gaps` does, also those that reach beyond the shard; a shard without any candle has no windows.

    Raises `NotFound` for a symbol and interval without candles, `CandleError` for a damaged day.
    """
    reach_ms = _BEFORE * shard.step_ms
    found = history.between(shard.symbol, shard.interval, shard.start_ms - reach_ms, shard.stop_ms)
    if not len(found) or found.open_time[-1] < shard.start_ms:
        return ShardWindows(None, no_candles=shard.asked, too_few_before=0)
    whole = _whole(found, shard, history)
    first_ms, stop_ms = int(whole.open_time[0]), int(whole.open_time[-1]) + shard.step_ms
    there = shard.ends_between(max(first_ms, shard.start_ms), stop_ms)
    first_end_ms = shard.first_end_from(max(first_ms + reach_ms, shard.start_ms))
    count = shard.ends_between(first_end_ms, stop_ms)
    series = Series(whole.between(first_end_ms - reach_ms, None), shard.stride) if count else None
    return ShardWindows(series, no_candles=shard.asked - there, too_few_before=there - count)


def days_read(interval: str, shard_days: int) -> int:
    """How many day files the candles of a shard are in."""
    return shard_days - (-_BEFORE * interval_ms(interval) // DAY_MS)


def _whole(found: Candles, shard: Shard, history: CandleStoreSnapshot) -> Candles:
    """The candles without holes, from the shard's first window on, or from the history's start, to the shard's or the history's end."""
    start_ms, last_ms = shard.start_ms - _BEFORE * shard.step_ms, shard.stop_ms - shard.step_ms
    parts = [found]
    if found.open_time[0] > start_ms:
        before = history.last_candle_before(shard.symbol, shard.interval, start_ms)
        if len(before):
            parts.insert(0, _flat(before, start_ms))
    if found.open_time[-1] < last_ms and history.has_days_after(shard.symbol, shard.interval, shard.last_day):
        parts.append(_flat(found[-1:], last_ms))
    return fill_gaps(Candles.concatenate(shard.symbol, shard.interval, parts), (last_ms - start_ms) // shard.step_ms + 1)


def _flat(last: Candles, open_time_ms: int) -> Candles:
    """What `fill_gaps` puts at that time, long after the one candle `last`."""
    close = last.columns.close
    columns = Columns(open=close, high=close, low=close, close=close, volume=np.zeros(1))
    return Candles(last.symbol, last.interval, np.array([open_time_ms]), columns, np.ones(1, np.bool_))
