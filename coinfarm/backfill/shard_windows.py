"""The windows of a shard, identical to those of a single prediction over the complete series."""

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

_LOOKBACK = STANDARD.window_candles - 1


@dataclass(frozen=True)
class ShardWindows:
    """The series to predict, and the number of requested windows without 200 candles.

    `series` is None if no window is left. `no_candles` windows end in a shard without any candle, or outside the series; `too_few_before`
    windows have fewer than 199 candles before the last, including filled ones.
    """

    series: Series | None
    no_candles: int
    too_few_before: int

    @property
    def digest(self) -> str:
        """The first 16 hex digits of the SHA-256 of the candles and of the numbers of windows without candles."""
        digest = sha256(f"{self.no_candles} {self.too_few_before}".encode())
        if self.series is not None:
            candles = self.series.candles
            for column in (candles.open_time, *candles.columns, candles.filled):
                digest.update(column.tobytes())
        return digest.hexdigest()[:16]


def read_shard_windows(shard: Shard, store: CandleStoreSnapshot) -> ShardWindows:
    """Read the candles of the shard, and fill gaps like `fill_gaps`, including those that extend beyond the shard.

    A shard without any candle has no windows. Raises `NotFound` if the series has no candles, `CandleError` for a damaged day.
    """
    lookback_ms = _LOOKBACK * shard.interval_ms
    found = store.between(shard.symbol, shard.interval, shard.start_ms - lookback_ms, shard.stop_ms)
    if not len(found) or found.open_time[-1] < shard.start_ms:
        return ShardWindows(None, no_candles=shard.window_count, too_few_before=0)
    candles = _without_gaps(found, shard, store)
    first_ms, stop_ms = int(candles.open_time[0]), int(candles.open_time[-1]) + shard.interval_ms
    with_candles = shard.windows_ending_between(max(first_ms, shard.start_ms), stop_ms)
    first_end_ms = shard.first_window_end(max(first_ms + lookback_ms, shard.start_ms))
    count = shard.windows_ending_between(first_end_ms, stop_ms)
    series = Series(candles.between(first_end_ms - lookback_ms, None), shard.stride) if count else None
    return ShardWindows(series, no_candles=shard.window_count - with_candles, too_few_before=with_candles - count)


def day_files_per_shard(interval: str, shard_days: int) -> int:
    """The number of day files that contain the candles of a shard."""
    return shard_days - (-_LOOKBACK * interval_ms(interval) // DAY_MS)


def _without_gaps(found: Candles, shard: Shard, store: CandleStoreSnapshot) -> Candles:
    """The candles with gaps filled, from the first window of the shard (or the start of the series) to the end of either."""
    start_ms, last_ms = shard.start_ms - _LOOKBACK * shard.interval_ms, shard.stop_ms - shard.interval_ms
    parts = [found]
    if found.open_time[0] > start_ms:
        before = store.last_candle_before(shard.symbol, shard.interval, start_ms)
        if len(before):
            parts.insert(0, _flat_candle(before, start_ms))
    if found.open_time[-1] < last_ms and store.has_days_after(shard.symbol, shard.interval, shard.last_day):
        parts.append(_flat_candle(found[-1:], last_ms))
    return fill_gaps(Candles.concatenate(shard.symbol, shard.interval, parts), (last_ms - start_ms) // shard.interval_ms + 1)


def _flat_candle(last: Candles, open_time_ms: int) -> Candles:
    """The candle that `fill_gaps` would insert at `open_time_ms`, after the single candle `last`."""
    close = last.columns.close
    columns = Columns(open=close, high=close, low=close, close=close, volume=np.zeros(1))
    return Candles(last.symbol, last.interval, np.array([open_time_ms]), columns, np.ones(1, np.bool_))
