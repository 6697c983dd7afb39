"""The unit of a backfill: the windows of one symbol and interval that end on one UTC day, or on several days for long intervals."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from coinfarm.candles.day import DAY_MS, day_start_ms
from coinfarm.candles.interval import interval_ms

PREDICTIONS = "predictions"
FAILURES = "failures"
MAX_SHARD_DAYS = 1440
_MINUTES_PER_DAY = 1440


@dataclass(frozen=True)
class Shard:
    """The windows whose last candle opens on one of `days` UTC days from `day` on.

    With a stride of N, these are the windows whose last candle is the Nth, 2Nth, … since the epoch, so that all shards are aligned, and the
    windows close on the hour or at midnight if N candles are an hour or a day.
    """

    symbol: str
    interval: str
    day: date
    stride: int = 1
    days: int = 1

    @property
    def interval_ms(self) -> int:
        return interval_ms(self.interval)

    @property
    def start_ms(self) -> int:
        return day_start_ms(self.day)

    @property
    def stop_ms(self) -> int:
        return self.start_ms + self.days * DAY_MS

    @property
    def last_day(self) -> date:
        return self.day + timedelta(self.days - 1)

    def each_day(self) -> Iterator[date]:
        return (self.day + timedelta(number) for number in range(self.days))

    @property
    def window_count(self) -> int:
        """The number of windows if no candles are missing."""
        return self.windows_ending_between(self.start_ms, self.stop_ms)

    def windows_ending_between(self, start_ms: int, stop_ms: int) -> int:
        """The number of windows whose last candle opens in `[start_ms, stop_ms)`."""
        length_ms = self.stride * self.interval_ms
        first_ms = self.first_window_end(start_ms)
        return max(0, -(-(stop_ms - first_ms) // length_ms))

    def first_window_end(self, time_ms: int) -> int:
        """The open time of the last candle of the first window that ends at `time_ms` or later."""
        length_ms = self.stride * self.interval_ms
        return -(-(time_ms + self.interval_ms) // length_ms) * length_ms - self.interval_ms

    def key(self, version: str) -> str:
        """The key of the shard's result under the root of results. It names everything that the result depends on except the candles."""
        return f"{series_prefix(version, self.symbol, self.interval, self.stride)}date={self._dates}.parquet"

    def failure_key(self, version: str) -> str:
        """The key of the note that says why the last attempt failed."""
        return f"{series_prefix(version, self.symbol, self.interval, self.stride, FAILURES)}date={self._dates}.json"

    def __str__(self) -> str:
        return f"{self.symbol} {self.interval} {self._dates}"

    @property
    def _dates(self) -> str:
        """The shard's day, or its first day and the day after its last."""
        return str(self.day) if self.days == 1 else f"{self.day}--{self.day + timedelta(self.days)}"


def days_per_shard(interval: str) -> int:
    """The number of days with about as many windows as a day of 1-minute candles: 5 at `5m`, 60 at `1h`, 1440 at `1d`."""
    return min(MAX_SHARD_DAYS, max(1, interval_ms(interval) * _MINUTES_PER_DAY // DAY_MS))


def shards_between(symbol: str, interval: str, first_day: date, stop_day: date, stride: int, days: int) -> Iterator[Shard]:
    """The shards of the days from `first_day` up to but not including `stop_day`, oldest first.

    Shards of several days begin at multiples of `days` since 1970, so that runs over other dates share all but the first and the last.
    """
    day = first_day
    while day < stop_day:
        count = days - (day - date(1970, 1, 1)).days % days
        count = min(count, (stop_day - day).days)
        yield Shard(symbol, interval, day, stride, count)
        day += timedelta(count)


def series_prefix(version: str, symbol: str, interval: str, stride: int = 1, folder: str = PREDICTIONS) -> str:
    """The common prefix of the result keys of one symbol and interval."""
    strided = "" if stride == 1 else f"stride={stride}/"
    return f"{folder}/model={version}/{strided}symbol={symbol}/interval={interval}/"
