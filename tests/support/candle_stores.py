"""Candle stores with synthetic candles."""

from collections.abc import Collection
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from coinfarm.candle_store.store import CandleStore
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import DAY_MS, by_day, day_of
from coinfarm.candles.interval import interval_ms
from coinfarm.candles.synthetic import generate
from coinfarm.storage import Storage, open_storage
from tests.support.synthetic_candles import without

FIRST_DAY = date(2026, 1, 1)
FIRST_MS = round(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)


def synthetic_history(
    days: int, *, symbol: str = "DEMOUSD", interval: str = "1m", start: int = 0, missing: Collection[int] = (), seed: int = 1
) -> Candles:
    """Candles of `days` days from 2026 on, without the first `start` and those at the positions `missing`."""
    candles = generate(symbol, interval, FIRST_MS, days * DAY_MS // interval_ms(interval), seed)
    return without(candles, {*range(start), *missing})


def store_history(storage: Storage, *histories: Candles) -> Storage:
    """Write the candles into the candle store in `storage`, and return the storage."""
    for candles in histories:
        days = candles.open_time // DAY_MS
        for day in np.unique(days):
            at = np.flatnonzero(days == day)
            CandleStore(storage).write_day(candles[at[0] : at[-1] + 1])
    return storage


def stored_with_partial_days(folder: Path, candles: Candles) -> Storage:
    """A store like after the import of a file: the days of its first and last candles are partial, and may grow."""
    storage = open_storage(str(folder))
    start_ms, stop_ms = int(candles.open_time[0]), int(candles.open_time[-1]) + candles.interval_ms
    for day in by_day(candles):
        CandleStore(storage).write_day(day, known_from_ms=start_ms, known_to_ms=stop_ms)
    return storage


def stored(folder: Path, *histories: Candles) -> Storage:
    """A store in a folder with these candles."""
    return store_history(open_storage(str(folder)), *histories)


def days_of(candles: Candles) -> list[date]:
    """Every UTC day from the first candle to the last, including those without candles."""
    first, last = (day_of(int(candles.open_time[at])) for at in (0, -1))
    return [date.fromordinal(number) for number in range(first.toordinal(), last.toordinal() + 1)]
