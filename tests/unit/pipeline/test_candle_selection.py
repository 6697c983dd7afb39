"""Which candles and days a verdict is about: generated or imported, and none from the model's training data."""

from datetime import date

import pytest

from coinfarm.candle_store.store import CandleStore
from coinfarm.candles.day import day_start_ms
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.errors import CoinfarmError
from coinfarm.models.training_data import TrainingData
from coinfarm.pipeline.candle_selection import SYNTHETIC_SYMBOLS, import_candle_files, store_synthetic_candles
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


def test_stores_synthetic_candles_of_three_coins(tmp_path):
    selection = store_synthetic_candles(tmp_path, None, date(2026, 2, 1), date(2026, 2, 3))
    assert (selection.symbols, selection.synthetic) == (SYNTHETIC_SYMBOLS, True)
    assert {len(stored_candles(selection, symbol)) for symbol in SYNTHETIC_SYMBOLS} == {2 * 1440}
    assert store_synthetic_candles(tmp_path, None, date(2026, 2, 1), date(2026, 2, 3)) == selection


@pytest.mark.parametrize(
    ("until", "first_day"),
    [
        pytest.param(date(2019, 5, 1), date(2026, 1, 1), id="trained on earlier candles"),
        pytest.param(date(2026, 3, 5), date(2026, 3, 5), id="trained on later candles"),
    ],
)
def test_synthetic_candles_begin_after_the_training_data(tmp_path, monkeypatch, until, first_day):
    monkeypatch.setattr("coinfarm.pipeline.candle_selection.SYNTHETIC_DAYS", 1)
    selection = store_synthetic_candles(tmp_path, trained(BTCUSD=until), None, None)
    assert (selection.first_day, (selection.stop_day - selection.first_day).days) == (first_day, 1)


def test_imported_candles_are_used_from_the_earliest_cutoff_on(tmp_path):
    files = [candle_file(tmp_path, 9), candle_file(tmp_path, 12, "DEMOETH")]
    selection = import_candle_files(tmp_path / "out", files, trained(DEMOBTC=date(2026, 1, 6), DEMOETH=date(2026, 1, 4)), None, None)
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
    selection = import_candle_files(tmp_path / "out", [candle_file(tmp_path, 9)], training, *dates)
    assert (selection.first_day, selection.stop_day) == expected


def test_the_folder_depends_on_the_content_of_the_files(tmp_path):
    """Otherwise other candles would be rejected, or tested with the predictions of the first ones."""
    first = import_candle_files(tmp_path / "out", [candle_file(tmp_path, 9)], None, None, None)
    (tmp_path / "moved").mkdir()
    moved = import_candle_files(tmp_path / "out", [candle_file(tmp_path / "moved", 9)], None, None, None)
    other = import_candle_files(tmp_path / "out", [candle_file(tmp_path, 9, seed=2)], None, None, None)
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
        import_candle_files(tmp_path / "out", [candle_file(tmp_path, 9)], training, *dates)


def test_rejects_damaged_files_and_several_intervals(tmp_path):
    files = [candle_file(tmp_path, 2), candle_file(tmp_path, 2, "DEMOETH", "15m")]
    with pytest.raises(CoinfarmError, match="15m, 1h"):
        import_candle_files(tmp_path / "out", files, None, None, None)
    files[1].write_bytes(b"no Parquet")
    with pytest.raises(CoinfarmError, match=files[1].name):
        import_candle_files(tmp_path / "out", files, None, None, None)
