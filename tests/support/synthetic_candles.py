"""Synthetic candles for tests, with gaps on demand."""

from collections.abc import Collection
from datetime import date, timedelta

import numpy as np

from coinfarm.candles.candles import Candles
from coinfarm.candles.synthetic import generate
from image_render.windows import Columns

START_MS = 1_577_836_800_000  # 2020-01-01
MINUTE_MS = 60_000


def minutes(count: int, *, missing: Collection[int] = (), seed: int = 1, symbol: str = "DEMOUSD") -> Candles:
    """`count` synthetic 1-minute candles, without those at the positions `missing`."""
    return without(generate(symbol, "1m", START_MS, count, seed), missing)


def hours(days: int, *, missing: Collection[int] = (), symbol: str = "DEMOUSD") -> Candles:
    """Synthetic 1-hour candles, so that periods of days are short."""
    return without(generate(symbol, "1h", START_MS, days * 24, seed=1), missing)


def day(number: int) -> date:
    """The day `number` days after the first candle."""
    return date(2020, 1, 1) + timedelta(days=number)


def without(candles: Candles, missing: Collection[int]) -> Candles:
    """The candles without those at the positions `missing`."""
    remaining = np.delete(np.arange(len(candles)), list(missing))
    columns = Columns(*(column[remaining] for column in candles.columns))
    return Candles(candles.symbol, candles.interval, candles.open_time[remaining], columns, candles.filled[remaining])


def assert_same_candles(found: Candles, expected: Candles) -> None:
    assert (found.symbol, found.interval) == (expected.symbol, expected.interval)
    np.testing.assert_array_equal(found.open_time, expected.open_time)
    np.testing.assert_array_equal(found.columns, expected.columns)
    np.testing.assert_array_equal(found.filled, expected.filled)
