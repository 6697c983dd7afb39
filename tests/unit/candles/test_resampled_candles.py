"""Longer candles from shorter ones, compared with pandas."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from coinfarm.candles.candles import Candles
from coinfarm.candles.day import DAY_MS, Day
from coinfarm.candles.parquet_file import candles_from_parquet
from coinfarm.candles.resampled_candles import resample, resample_day
from coinfarm.candles.synthetic import generate
from coinfarm.errors import InvalidInput
from image_render.windows import Columns
from tests.support.repository import ROOT
from tests.support.synthetic_candles import MINUTE_MS, START_MS, assert_same_candles, minutes, without

SHARED = ROOT.parent / "shared" / "data"
INTERVALS = ["5m", "15m", "1h", "4h", "1d"]
PANDAS_RULES = {"5m": "5min", "15m": "15min", "1h": "1h", "4h": "4h", "1d": "1D"}


def resampled_by_pandas(candles: Candles, interval: str) -> Candles:
    """What pandas makes of the candles, less the bins that begin before them or end after them."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(candles.columns._asdict(), index=pandas.to_datetime(candles.open_time, unit="ms"))
    rules = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    found = frame.resample(PANDAS_RULES[interval]).agg(rules).dropna()
    open_time = found.index.as_unit("ms").astype("int64").to_numpy()
    result = Candles.checked(candles.symbol, interval, open_time, Columns(*(found[name].to_numpy() for name in Columns._fields)))
    stop_ms = int(candles.open_time[-1]) + candles.interval_ms - result.interval_ms
    return result.between(int(candles.open_time[0]), stop_ms + 1)


def assert_equals_pandas(candles: Candles, interval: str) -> None:
    """Prices are equal; volumes to the last digit, because versions of pandas add them in different orders."""
    found, expected = resample(candles, interval), resampled_by_pandas(candles, interval)
    np.testing.assert_allclose(found.columns.volume, expected.columns.volume, rtol=1e-15, atol=0)
    assert_same_candles(replace(found, columns=found.columns._replace(volume=expected.columns.volume)), expected)


@pytest.mark.parametrize("interval", INTERVALS)
@pytest.mark.parametrize(
    "candles",
    [
        pytest.param(minutes(4 * 1440), id="without gaps"),
        pytest.param(minutes(4 * 1440 + 17, missing=[0, 1, 1439, *range(100, 119), *range(2000, 3600)]), id="gaps, unfinished end"),
        pytest.param(generate("DEMO", "1m", START_MS + 437 * MINUTE_MS, 5000, 3, missing_share=0.6), id="most missing, unfinished start"),
    ],
)
def test_equals_pandas(candles: Candles, interval: str) -> None:
    assert_equals_pandas(candles, interval)


@pytest.mark.parametrize(("symbol", "folder"), [("BTCUSDT", "binance"), ("LTCUSD", "candles")])
def test_equals_pandas_on_real_candles(symbol: str, folder: str) -> None:
    path = SHARED / folder / f"{symbol}-1m.parquet"
    if not path.exists():
        pytest.skip("../shared/data, the folder of real candles, does not exist")
    candles = candles_from_parquet(Path(path).read_bytes(), symbol, "1m")[-40_000:]
    for interval in INTERVALS:
        assert_equals_pandas(candles, interval)


def test_resampling_in_steps_gives_the_same_prices() -> None:
    candles = minutes(2 * 1440, missing=range(300, 700))
    hours, in_steps = resample(candles, "4h"), resample(resample(candles, "15m"), "4h")
    np.testing.assert_array_equal(in_steps.columns[:4], hours.columns[:4])
    np.testing.assert_allclose(in_steps.columns.volume, hours.columns.volume, rtol=1e-14)


def candle_at(*minutes_of_day: int) -> Candles:
    """Candles that open at 10 and so on, one minute each."""
    at = np.array(minutes_of_day, np.int64)
    price = 10.0 + at
    return Candles.checked("DEMO", "1m", START_MS + at * MINUTE_MS, Columns(price, price + 1, price - 1, price + 0.5, np.ones(len(at))))


def test_a_known_minute_without_trades_is_no_obstacle_and_an_unknown_one_is() -> None:
    known = np.arange(1440) < 9
    found = resample_day(Day.of(candle_at(1, 3, 6), date(2020, 1, 1), known), "5m")
    assert (found.interval, found.known[:3].tolist(), found.traded[:3].tolist()) == ("5m", [True, False, False], [True, False, False])
    assert found.values[0].tolist() == [11.0, 14.0, 10.0, 13.5, 2.0]
    assert not found.values[1:].any()


def test_a_period_without_trades_is_known_and_missing() -> None:
    found = resample_day(Day.of(candle_at(0), date(2020, 1, 1), np.ones(1440, np.bool_)), "12h")
    assert (found.known.tolist(), found.traded.tolist()) == ([True, True], [True, False])


def test_the_period_that_candles_cover_can_be_given() -> None:
    day = minutes(1440)
    inside = without(day, {0, 1439})
    assert len(resample(inside, "1h")) == 22
    assert len(resample(inside, "1h", START_MS, START_MS + DAY_MS)) == 24
    assert len(resample(inside[:0], "1h")) == 0


@pytest.mark.parametrize(("interval", "to_interval"), [("1h", "1h"), ("1h", "60m"), ("1h", "1m"), ("3m", "5m"), ("1m", "7m"), ("1m", "1M")])
def test_rejects_an_interval_that_is_not_a_multiple(interval: str, to_interval: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        resample(generate("DEMO", interval, START_MS, 30, 1), to_interval)
    assert [error.pointer for error in raised.value.errors] == ["/interval"]
