import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from coinfarm.candle_store.importing import ImportResult, import_file
from coinfarm.candle_store.store import CandleStore, WriteOutcome
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import DAY_MS, by_day
from coinfarm.candles.files import parse_candles
from coinfarm.candles.json_rows import rows_from_candles
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.candles.synthetic import START_OF_2026_MS, generate
from image_render.windows import Columns
from tests.support.candle_writers import csv_text
from tests.support.compressed_files import zip_of_one
from tests.support.synthetic_candles import assert_same_candles, minutes

THREE_DAYS = minutes(3 * 1440, missing=[0, 700, 1439, 1440, 4319])
FIRST_DAY, SECOND_DAY, THIRD_DAY = by_day(THREE_DAYS)
Import = Callable[..., ImportResult]


@pytest.fixture
def run_import(store: CandleStore, tmp_path: Path) -> Import:
    def run_import(name: str, data: bytes | str, **options: object) -> ImportResult:
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return import_file(store, path, **options)  # type: ignore[arg-type]

    return run_import


@pytest.mark.parametrize(
    ("name", "write"),
    [
        pytest.param("DEMOUSD-1m.parquet", parquet_from_candles, id="Parquet"),
        pytest.param("DEMOUSD-1m.csv", csv_text, id="CSV"),
        pytest.param("klines-DEMOUSD-1m.json", lambda candles: json.dumps(rows_from_candles(candles)), id="klines JSON"),
        pytest.param("DEMOUSD-1m-2020-01.csv", lambda candles: csv_text(candles, header=False, twelve=True), id="archive, unpacked"),
    ],
)
def test_imports_every_format(run_import: Import, store: CandleStore, name: str, write: Callable[[Candles], bytes | str]) -> None:
    outcome = run_import(name, write(THREE_DAYS))
    assert (outcome.symbol, outcome.interval, outcome.candles) == ("DEMOUSD", "1m", len(THREE_DAYS))
    assert (outcome.days, outcome.rejected) == ({WriteOutcome.NEW: 3}, [])
    assert_same_candles(store.read("DEMOUSD", "1m"), THREE_DAYS)


@pytest.mark.parametrize(("header", "microseconds"), [(False, False), (True, True)])
def test_imports_archive_files_of_every_format(run_import: Import, store: CandleStore, header: bool, microseconds: bool) -> None:
    text = csv_text(THREE_DAYS, header=header, microseconds=microseconds, twelve=True)
    assert run_import("DEMOUSD-1m-2020-01.zip", zip_of_one(text.encode())).rejected == []
    assert_same_candles(store.read("DEMOUSD", "1m"), THREE_DAYS)


def test_an_archive_file_covers_its_month(run_import: Import, store: CandleStore) -> None:
    """Minutes that are missing in it had no trades, so its days are complete. Other files cover the time from first to last candle."""
    days = [date(2020, 1, day) for day in (1, 2, 3)]
    run_import("DEMOUSD-1m.parquet", parquet_from_candles(THREE_DAYS))
    assert store.complete_days("DEMOUSD", "1m", days) == {days[1]}
    outcome = run_import("DEMOUSD-1m-2020-01.zip", zip_of_one(csv_text(THREE_DAYS, header=False).encode()))
    assert outcome.days == {WriteOutcome.EXTENDED: 2, WriteOutcome.UNCHANGED: 1}
    assert store.complete_days("DEMOUSD", "1m", days) == set(days)
    assert_same_candles(store.read("DEMOUSD", "1m"), THREE_DAYS)


@pytest.mark.parametrize(("missing", "is_complete"), [(60, True), (61, False), (800, False), (3 * 1440, False)])
def test_a_gap_of_more_than_an_hour_is_unknown(run_import: Import, store: CandleStore, missing: int, is_complete: bool) -> None:
    """A file whose middle is missing is not the end of it: the complete file is taken."""
    whole = generate("DEMOUSD", "1m", START_OF_2026_MS, 7 * 1440, seed=1)
    first = 1440 + 300
    parts = [whole[:first], whole[first + missing :]]
    outcome = run_import("DEMOUSD-1m.parquet", parquet_from_candles(Candles.concatenate("DEMOUSD", "1m", parts)))
    assert (len(outcome.notes) == 0) == is_complete
    days = store.days("DEMOUSD", "1m")
    assert (store.complete_days("DEMOUSD", "1m", days) == set(days)) == is_complete
    again = run_import("DEMOUSD-1m.csv", csv_text(whole))
    assert bool(again.rejected) == is_complete
    assert is_complete or len(store.read("DEMOUSD", "1m")) == len(whole)


def test_overlapping_files_are_merged_in_any_order(run_import: Import, store: CandleStore) -> None:
    for part in (THREE_DAYS[2500:], THREE_DAYS[:1000], THREE_DAYS[800:3000]):
        assert run_import("DEMOUSD-1m.parquet", parquet_from_candles(part)).rejected == []
    assert_same_candles(store.read("DEMOUSD", "1m"), THREE_DAYS)


def test_values_that_agree_to_eight_decimals_are_equal(run_import: Import, store: CandleStore) -> None:
    exact = replace(FIRST_DAY, columns=FIRST_DAY.columns._replace(volume=FIRST_DAY.columns.volume + 1 / 3))
    rounded = replace(exact, columns=Columns(*(np.round(column, 8) for column in exact.columns)))
    run_import("DEMOUSD-1m.parquet", parquet_from_candles(exact))
    assert run_import("DEMOUSD-1m.csv", csv_text(rounded)).days == {WriteOutcome.UNCHANGED: 1}
    assert_same_candles(store.read("DEMOUSD", "1m"), exact)


def test_rejects_a_day_that_differs_and_stores_the_others(run_import: Import, store: CandleStore) -> None:
    run_import("DEMOUSD-1m.parquet", parquet_from_candles(SECOND_DAY))
    volume = THREE_DAYS.columns.volume.copy()
    volume[len(FIRST_DAY) + 60] += 1e-8
    changed = replace(THREE_DAYS, columns=THREE_DAYS.columns._replace(volume=volume))
    outcome = run_import("DEMOUSD-1m.csv", csv_text(changed))
    assert outcome.days == {WriteOutcome.NEW: 2}
    (rejected,) = outcome.rejected
    for named in ("DEMOUSD-1m.csv: ", "date=2020-01-02.parquet", "2020-01-02 01:01", "--replace"):
        assert named in rejected
    assert_same_candles(store.read("DEMOUSD", "1m"), THREE_DAYS)
    assert run_import("DEMOUSD-1m.csv", csv_text(changed), replace=True).days == {WriteOutcome.UNCHANGED: 2, WriteOutcome.REPLACED: 1}
    assert_same_candles(store.read("DEMOUSD", "1m"), changed)


ANOTHER = csv_text(FIRST_DAY[:2]) + csv_text(SECOND_DAY[:1], header=False).replace(
    str(SECOND_DAY.open_time[0]), str(FIRST_DAY.open_time[0])
)


@pytest.mark.parametrize(
    ("name", "data", "named"),
    [
        pytest.param("prices.csv", csv_text(FIRST_DAY), "BTCUSD-1m.parquet", id="no symbol in the name"),
        pytest.param("DEMO-1s-2020-01.csv", csv_text(FIRST_DAY), "'1s'", id="interval of seconds"),
        pytest.param("DEMO-1m.txt", "", "empty", id="empty"),
        pytest.param("DEMO-1m-2020-01.zip", "PK", "", id="not a zip"),
        pytest.param("DEMO-1m.json", "[[1577836800000, 1, 2]]", "3 columns", id="too few fields"),
        pytest.param("DEMO-1m.csv", csv_text(FIRST_DAY[:0]), "", id="no candle"),
        pytest.param("DEMO-1m.csv", ANOTHER, "line 4", id="another candle of the same time"),
    ],
)
def test_rejects_an_unreadable_file(run_import: Import, store: CandleStore, name: str, data: str, named: str, tmp_path: Path) -> None:
    outcome = run_import(name, data)
    (rejected,) = outcome.rejected
    assert rejected.startswith(f"{tmp_path / name}: ")
    assert named in rejected
    assert rejected.count(name) == 1
    assert store.series() == []


def test_symbol_and_interval_can_be_given_and_progress_is_by_day(store: CandleStore, tmp_path: Path) -> None:
    path, done = tmp_path / "prices.csv", []
    path.write_text(csv_text(THREE_DAYS))
    import_file(store, path, symbol="MINE", interval="1m", progress=lambda *days: done.append(days))
    assert store.series() == [("MINE", "1m")]
    assert done == [(1, 3), (2, 3), (3, 3)]


def test_real_candles_of_two_sources_agree(shared_data: Path, real_klines: Candles, run_import: Import, store: CandleStore) -> None:
    """1,500 bitcoin minutes of May 2019 in an exchange's format, and the same two days as floats."""
    assert import_file(store, shared_data / "klines-BTCUSD-1m.json").days == {WriteOutcome.NEW: 2}
    start_ms = int(real_klines.open_time[0])
    path = shared_data / "candles/BTCUSD-1m.parquet"
    two_days = parse_candles(path.read_bytes(), path.name, start_ms=start_ms, stop_ms=start_ms + 2 * DAY_MS)
    outcome = run_import("BTCUSD-1m.parquet", parquet_from_candles(two_days))
    assert (outcome.days, outcome.rejected) == ({WriteOutcome.UNCHANGED: 1, WriteOutcome.EXTENDED: 1}, [])
    assert len(store.read("BTCUSD", "1m")) == len(two_days)
