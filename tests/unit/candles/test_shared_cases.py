"""The example files of users, where their folder exists: each is read as the truth has it, or rejected."""

from pathlib import Path

import numpy as np
import pytest

from coinfarm.candle_store.importing import import_file
from coinfarm.candle_store.store import CandleStore, WriteOutcome
from coinfarm.candles.candles import Candles
from coinfarm.candles.files import read_candles
from coinfarm.candles.filled_windows import filled_counts
from coinfarm.candles.gaps import fill_gaps
from coinfarm.errors import CoinfarmError
from coinfarm.storage import open_storage

LIKE_THE_TRUTH = [
    "kraken_rest_ms.json",
    "kraken_vwap_headerless.csv",
    "duplicates.csv",
    "Bitstamp_BTCUSD_2018_minute.csv",
    "btcusd_1-min_data.csv",
    "XBTUSD_1.csv",
    "pandas_index.csv",
    "pandas_index.parquet",
    "polars_us.parquet",
    "decimal_commas.csv",
    "spaces.csv",
    "timestamp_column.csv",
    "iso_time.csv",
    "headerless.csv",
    "good.csv.gz",
    "really_gz.csv",
    "coinbase.json",
    "bitfinex.json",
    "okx.json",
    "kraken.json",
    "polygon.json",
    "records.json",
    "zero_volume_missing.csv",
]
BY_THEIR_NAMES = {
    "BTC_USDT-1m.feather": "BTCUSDT",
    "BTC_USDT-1m.parquet": "BTCUSDT",
    "BTC_USDT-1m.json.gz": "BTCUSDT",
    "btc-usdt-1m.csv": "BTCUSDT",
    "eth-usdt-1m.csv": "ETHUSDT",
}
OPTIONS = {"symbol": "BTCUSD", "interval": "1m"}


@pytest.fixture
def cases(shared_data: Path) -> Path:
    folder = shared_data.parent / "cases/candles"
    if not folder.is_dir():
        pytest.skip(f"{folder} does not exist")
    return folder


@pytest.fixture
def truth(cases: Path) -> Candles:
    return read(cases, "good-BTCUSD-1m.csv")


@pytest.fixture
def store(tmp_path: Path) -> CandleStore:
    return CandleStore(open_storage(str(tmp_path / "store")))


def read(cases: Path, name: str, **options: str) -> Candles:
    return read_candles((cases / name).read_bytes(), name, **options).candles  # type: ignore[arg-type]


@pytest.mark.parametrize("name", LIKE_THE_TRUTH)
def test_is_read_as_the_truth(cases: Path, truth: Candles, name: str) -> None:
    found = read(cases, name, **OPTIONS)
    same_times = np.isin(truth.open_time, found.open_time)
    assert len(found) >= 40
    np.testing.assert_array_equal(found.open_time, truth.open_time[same_times])
    np.testing.assert_allclose(found.columns, [column[same_times] for column in truth.columns], rtol=1e-12)


@pytest.mark.parametrize(("name", "symbol"), BY_THEIR_NAMES.items())
def test_the_name_gives_the_symbol(cases: Path, name: str, symbol: str) -> None:
    found = read(cases, name)
    assert (found.symbol, found.interval, len(found)) == (symbol, "1m", 40)


@pytest.mark.parametrize(
    ("name", "options", "named"),
    [("BTCUSD-1m-hourly.csv", OPTIONS, "1h"), ("ETHUSD-1m.csv", {}, "BTCUSD"), ("BTCUSD_M1.csv", OPTIONS, "--timezone")],
)
def test_is_rejected(cases: Path, name: str, options: dict[str, str], named: str) -> None:
    with pytest.raises(CoinfarmError, match=named):
        read(cases, name, **options)


def test_a_zone_is_taken_for_broker_times(cases: Path, truth: Candles) -> None:
    utc, athens = (read(cases, "BTCUSD_M1.csv", timezone=zone, **OPTIONS) for zone in ("UTC", "Europe/Athens"))
    np.testing.assert_array_equal(utc.open_time, truth.open_time[:40])
    np.testing.assert_array_equal(athens.open_time, truth.open_time[:40] - 2 * 3_600_000)


def test_a_bad_tick_is_noted(cases: Path) -> None:
    reading = read_candles((cases / "bad_tick.csv").read_bytes(), "bad_tick.csv", symbol="BTCUSD", interval="1m")
    assert any("line 102" in note for note in reading.notes)


def test_rows_without_volume_count_as_missing(cases: Path) -> None:
    starts = np.arange(21)
    rows, missing = (
        filled_counts(fill_gaps(read(cases, f"zero_volume_{form}.csv", **OPTIONS)), starts, 200) for form in ("rows", "missing")
    )
    np.testing.assert_array_equal(rows, missing)
    assert (rows > 100).all()


def test_prices_that_differ_by_a_percent_differ(cases: Path, store: CandleStore) -> None:
    options = {"symbol": "BTTUSDT", "interval": "1m"}
    import_file(store, cases / "tiny_price_1.csv", **options)  # type: ignore[arg-type]
    assert len(import_file(store, cases / "tiny_price_2.csv", **options).rejected) == 1  # type: ignore[arg-type]
    assert import_file(store, cases / "tiny_price_2.csv", replace=True, **options).days == {WriteOutcome.REPLACED: 1}  # type: ignore[arg-type]


def test_a_cut_off_archive_is_completed(cases: Path, store: CandleStore) -> None:
    for folder, count in (("partial", 30), ("later", 60)):
        assert import_file(store, cases / folder / "BTCUSDT-1m-2018-01.csv").rejected == []
        assert len(store.read("BTCUSDT", "1m")) == count


def test_an_unfinished_candle_is_taken_over(cases: Path, store: CandleStore, truth: Candles) -> None:
    for name in ("unfinished.csv", "good-BTCUSD-1m.csv"):
        assert import_file(store, cases / name, **OPTIONS).rejected == []  # type: ignore[arg-type]
    np.testing.assert_array_equal(store.read("BTCUSD", "1m").columns, truth.columns)
