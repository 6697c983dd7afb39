"""Which candles and days of files a verdict is about: none from the model's training data."""

from datetime import date

import numpy as np
import pytest

from coinfarm.candle_store.store import CandleStore
from coinfarm.candles.day import day_start_ms
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.errors import CoinfarmError
from coinfarm.models.training_data import TrainingData
from coinfarm.pipeline.imported_selection import import_candle_files
from coinfarm.storage import open_storage
from tests.support.candle_stores import synthetic_history


def trained(**until):
    """Training data with these cutoffs by symbol."""
    dates = {"from_date": date(2025, 1, 1), "to_date": max(until.values())}
    cutoff_ms = {symbol: day_start_ms(day) for symbol, day in until.items()}
    return TrainingData(symbols=tuple(until), interval="1m", frames=1, splits={}, cutoff_ms=cutoff_ms, **dates)


def candle_file(folder, days, symbol="DEMOBTC", interval="1h", **options):
    """Candles from 2026-01-01 on."""
    path = folder / f"{symbol}-{interval}.parquet"
    path.write_bytes(parquet_from_candles(synthetic_history(days, symbol=symbol, interval=interval, **options)))
    return path


def stored_candles(selection, symbol):
    return CandleStore(open_storage(selection.candles_root)).read(symbol, selection.interval)


def test_imported_candles_are_used_from_the_earliest_cutoff_on(tmp_path):
    files = [candle_file(tmp_path, 9), candle_file(tmp_path, 12, "DEMOETH")]
    (selection,) = import_candle_files(tmp_path / "out", files, (), trained(DEMOBTC=date(2026, 1, 6), DEMOETH=date(2026, 1, 4)), None, None)
    assert (selection.symbols, selection.interval, selection.synthetic) == (("DEMOBTC", "DEMOETH"), "1h", False)
    assert (selection.first_day, selection.stop_day) == (date(2026, 1, 4), date(2026, 1, 13))
    assert len(stored_candles(selection, "DEMOETH")) == 12 * 24, "windows of the first day need the candles before it"


@pytest.mark.parametrize(
    ("training", "dates", "expected"),
    [
        pytest.param(None, (None, None), (date(2026, 1, 1), date(2026, 1, 10)), id="unknown training data"),
        pytest.param(trained(DEMOBTC=date(2026, 1, 6)), *[(date(2026, 1, 3), date(2026, 1, 8))] * 2, id="dates given"),
    ],
)
def test_days_of_one_file(tmp_path, training, dates, expected):
    (selection,) = import_candle_files(tmp_path / "out", [candle_file(tmp_path, 9)], (), training, *dates)
    assert (selection.first_day, selection.stop_day) == expected


def test_the_folder_depends_on_the_content_of_the_files(tmp_path):
    """Otherwise other candles would be rejected, or tested with the predictions of the first ones."""
    (first,) = import_candle_files(tmp_path / "out", [candle_file(tmp_path, 9)], (), None, None, None)
    (tmp_path / "moved").mkdir()
    (moved,) = import_candle_files(tmp_path / "out", [candle_file(tmp_path / "moved", 9)], (), None, None, None)
    (other,) = import_candle_files(tmp_path / "out", [candle_file(tmp_path, 9, seed=2)], (), None, None, None)
    assert moved == first
    assert other.folder != first.folder


@pytest.mark.parametrize(
    ("training", "dates", "named"),
    [
        pytest.param(None, (date(2026, 1, 5), date(2026, 1, 5)), "--to 2026-01-05 .* 2026-01-05", id="no day"),
        pytest.param(None, (date(2027, 1, 1), date(2027, 1, 2)), "2026-01-01 to 2026-01-09, .* 2027-01-01", id="no candles"),
        pytest.param(trained(DEMOBTC=date(2026, 2, 1)), (None, None), "2026-01-09, .* 2026-02-01", id="only training data"),
    ],
)
def test_rejects_dates_without_candles_to_test_on(tmp_path, training, dates, named):
    with pytest.raises(CoinfarmError, match=named):
        import_candle_files(tmp_path / "out", [candle_file(tmp_path, 9)], (), training, *dates)


def test_rejects_damaged_files(tmp_path):
    files = [candle_file(tmp_path, 2), candle_file(tmp_path, 2, "DEMOETH")]
    files[1].write_bytes(b"no Parquet")
    with pytest.raises(CoinfarmError, match=files[1].name):
        import_candle_files(tmp_path / "out", files, (), None, None, None)


def test_files_of_several_intervals_are_several_selections(tmp_path):
    files = [candle_file(tmp_path, 2), candle_file(tmp_path, 3, "DEMOETH", "15m"), candle_file(tmp_path, 2, "DEMOETH")]
    short, long = import_candle_files(tmp_path / "out", files, (), None, None, None)
    assert (short.interval, short.symbols, short.stop_day) == ("15m", ("DEMOETH",), date(2026, 1, 4))
    assert (long.interval, long.symbols, long.stop_day) == ("1h", ("DEMOBTC", "DEMOETH"), date(2026, 1, 3))
    assert short.folder == long.folder


def test_makes_longer_candles_of_the_longest_that_fit(tmp_path):
    files = [candle_file(tmp_path, 3, interval="15m"), candle_file(tmp_path, 3, interval="1h", seed=2), candle_file(tmp_path, 3, "DEMOETH")]
    half, four = import_candle_files(tmp_path / "out", files, ("4h", "30m"), None, None, None)
    assert (half.interval, half.symbols) == ("30m", ("DEMOBTC",)), "of the hours of the other coin no half hours can be made"
    assert (four.interval, four.symbols) == ("4h", ("DEMOBTC", "DEMOETH"))
    for selection, step in ((half, 2), (four, 4)):
        source = CandleStore(open_storage(selection.candles_root)).read("DEMOBTC", "15m" if step == 2 else "1h")
        made = stored_candles(selection, "DEMOBTC")
        np.testing.assert_array_equal(made.columns.close, source.columns.close[step - 1 :: step])
        np.testing.assert_array_equal(made.columns.high, source.columns.high.reshape(-1, step).max(axis=1))


def test_files_of_an_interval_are_preferred_to_candles_that_could_be_made(tmp_path):
    files = [candle_file(tmp_path, 3, interval="15m"), candle_file(tmp_path, 3, interval="1h", seed=2)]
    (selection,) = import_candle_files(tmp_path / "out", files, ("60m",), None, None, None)
    np.testing.assert_array_equal(
        stored_candles(selection, "DEMOBTC").columns.close, synthetic_history(3, symbol="DEMOBTC", interval="1h", seed=2).columns.close
    )


@pytest.mark.parametrize("interval", ["15m", "90m"])
def test_rejects_an_interval_that_no_file_is_short_enough_for(tmp_path, interval):
    with pytest.raises(CoinfarmError, match=f"1h candles.*{interval}"):
        import_candle_files(tmp_path / "out", [candle_file(tmp_path, 3)], (interval,), None, None, None)
