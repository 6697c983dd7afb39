"""The shard: one symbol, one interval, one UTC day of window ends."""

from dataclasses import dataclass
from datetime import date

from coinfarm.candles.day import DAY_MS, day_start_ms
from coinfarm.candles.interval import interval_ms

PREDICTIONS = "predictions"
FAILURES = "failures"


@dataclass(frozen=True)
class Shard:
    """Which windows are asked for: those whose last candle opens on the UTC day `day`.

    With a stride of N it is those whose last candle is the Nth, the 2Nth, … since the epoch, so that they lie alike in every shard and
    close on the hour, at midnight and so on where N candles are an hour or a day.
    """

    symbol: str
    interval: str
    day: date
    stride: int = 1

    @property
    def step_ms(self) -> int:
        return interval_ms(self.interval)

    @property
    def start_ms(self) -> int:
        return day_start_ms(self.day)

    @property
    def stop_ms(self) -> int:
        return self.start_ms + DAY_MS

    @property
    def asked(self) -> int:
        """How many windows it has where there are candles for all of them."""
        return self.ends_between(self.start_ms, self.stop_ms)

    def ends_between(self, start_ms: int, stop_ms: int) -> int:
        """How many windows' last candles open in `[start_ms, stop_ms)`, a stretch of the day."""
        length_ms = self.stride * self.step_ms
        first_ms = self.first_end_from(start_ms)
        return max(0, -(-(stop_ms - first_ms) // length_ms))

    def first_end_from(self, time_ms: int) -> int:
        """When the last candle opens of the first window that ends with a candle of `time_ms` or later."""
        length_ms = self.stride * self.step_ms
        return -(-(time_ms + self.step_ms) // length_ms) * length_ms - self.step_ms

    def key(self, version: str) -> str:
        """Where its result lies under the root of results. It says what that depends on, but for the candles, of which it tells itself."""
        return f"{series_prefix(version, self.symbol, self.interval, self.stride)}date={self.day.isoformat()}.parquet"

    def failure_key(self, version: str) -> str:
        """Where a note lies of why its last attempt failed."""
        return f"{series_prefix(version, self.symbol, self.interval, self.stride, FAILURES)}date={self.day.isoformat()}.json"

    def __str__(self) -> str:
        return f"{self.symbol} {self.interval} {self.day}"


def series_prefix(version: str, symbol: str, interval: str, stride: int = 1, folder: str = PREDICTIONS) -> str:
    """What the keys of the results of one symbol and interval begin with."""
    strided = "" if stride == 1 else f"stride={stride}/"
    return f"{folder}/model={version}/{strided}symbol={symbol}/interval={interval}/"
