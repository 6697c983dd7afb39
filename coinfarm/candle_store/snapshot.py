"""A candle store whose days are listed once, for backfills."""

from bisect import bisect_right
from datetime import date

from coinfarm.candle_store.series_folders import SeriesName
from coinfarm.candle_store.store import CandleStore
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import DAY_MS, day_of, day_start_ms
from coinfarm.errors import NotFound
from coinfarm.storage import Storage


class CandleStoreSnapshot:
    """The candles of a store. Days are listed once for each symbol and interval; days that are added later are not seen."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._store = CandleStore(storage)
        self._days: dict[tuple[str, str], list[date]] = {}

    def days(self, symbol: str, interval: str) -> list[date]:
        """The days that have candles, oldest first. Raises `NotFound` if there is none."""
        series = symbol, interval
        if series not in self._days:
            self._days[series] = self._store.days(symbol, interval)
        if not self._days[series]:
            raise NotFound(f"{self._storage.uri()} has no {interval} candles of {symbol}; {self.contents()}")
        return self._days[series]

    def contents(self) -> str:
        """The series of the store with their first and last days, as text."""
        return self._store.contents()

    def between(self, symbol: str, interval: str, start_ms: int, stop_ms: int) -> Candles:
        """The candles that open in `[start_ms, stop_ms)`, with gaps. Raises `CandleError` for a damaged day."""
        wanted = [day for day in self.days(symbol, interval) if start_ms - DAY_MS < day_start_ms(day) < stop_ms]
        parts = [day.candles.between(start_ms, stop_ms) for day in self._store.read_each_day(symbol, interval, wanted)]
        return Candles.concatenate(*SeriesName.canonical(symbol, interval), parts)

    def last_candle_before(self, symbol: str, interval: str, time_ms: int) -> Candles:
        """The last candle that opens before `time_ms`, or no candle if the store has none before it."""
        days = self.days(symbol, interval)
        for day in reversed(days[: bisect_right(days, day_of(time_ms))]):
            found = self.between(symbol, interval, day_start_ms(day), min(time_ms, day_start_ms(day) + DAY_MS))
            if len(found):
                return found[-1:]
        return Candles.concatenate(*SeriesName.canonical(symbol, interval), [])

    def has_days_after(self, symbol: str, interval: str, day: date) -> bool:
        """Whether a later day has candles."""
        return self.days(symbol, interval)[-1] > day
