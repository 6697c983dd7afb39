import io
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from coinfarm.candle_store.check import CandleCoverage, Gap, SeriesCheck, check_store
from coinfarm.candle_store.store import CandleStore
from coinfarm.candles.day import DAY_MS, by_day
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.candles.synthetic import generate
from coinfarm.errors import NotFound
from tests.support.synthetic_candles import MINUTE_MS, START_MS, minutes

FIRST, SECOND, THIRD = (date(2020, 1, day) for day in (1, 2, 3))
Check = Callable[[], SeriesCheck]


@pytest.fixture
def check(store: CandleStore) -> Check:
    def check() -> SeriesCheck:
        (only,) = check_store(store)
        return only

    return check


def table_of(**columns: object) -> pa.Table:
    """A complete first day, except for these columns."""
    table = pq.read_table(io.BytesIO(parquet_from_candles(minutes(1440))))
    return pa.table({name: columns.get(name, table[name]) for name in table.column_names})


def with_values(column: str, values: dict[int, float]) -> pa.Table:
    changed = table_of()[column].to_numpy().copy()
    for at, value in values.items():
        changed[at] = value
    return table_of(**{column: changed})


def put(store: CandleStore, day: date, table: pa.Table | bytes) -> None:
    if isinstance(table, pa.Table):
        sink = io.BytesIO()
        pq.write_table(table, sink)
        table = sink.getvalue()
    path = Path(store.uri("DEMOUSD", "1m", day))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(table)


def test_a_complete_store_has_no_gaps_and_errors(store: CandleStore, check: Check) -> None:
    for day in by_day(minutes(2 * 1440)):
        store.write_day(day)
    found = check()
    assert found.coverage == CandleCoverage(2880, 2880)
    assert (found.gaps, found.errors, found.partial_days) == ([], [], [])
    assert (found.first_ms, found.last_ms) == (START_MS, START_MS + 2 * DAY_MS - MINUTE_MS)


def test_finds_gaps_within_a_day_over_midnight_and_over_days(store: CandleStore, check: Check) -> None:
    """There is no gap before the first candle or after the last."""
    candles = minutes(5 * 1440, missing=[0, 5, *range(1438, 1442), *range(2 * 1440, 4 * 1440 + 1), 7199])
    for day in by_day(candles):
        store.write_day(day)
    found = check()
    spans = [((gap.start_ms - START_MS) // MINUTE_MS, (gap.stop_ms - START_MS) // MINUTE_MS) for gap in found.gaps]
    assert spans == [(5, 6), (1438, 1442), (2880, 5761)]
    assert [gap.minutes for gap in found.gaps] == [1, 4, 2881]
    assert found.gaps[0] == Gap(START_MS + 5 * MINUTE_MS, START_MS + 6 * MINUTE_MS)
    assert found.coverage == CandleCoverage(len(candles), 5 * 1440)
    assert found.errors == []


def test_coverage_by_month_includes_missing_days(store: CandleStore, check: Check) -> None:
    start_ms = START_MS + 30 * DAY_MS
    for day in by_day(generate("DEMO", "1h", start_ms, 24 * 4, 1)):
        if int(day.open_time[0]) != start_ms + 2 * DAY_MS:
            store.write_day(day)
    assert check().months == {"2020-01": CandleCoverage(24, 24), "2020-02": CandleCoverage(48, 72)}


DUPLICATE = table_of().take(np.insert(np.arange(1440), 30, 30))
DUPLICATE_WITH_OTHER_VALUES = table_of(open_time=np.insert(np.arange(1439), 30, 30) * MINUTE_MS + START_MS)
SWAPPED = table_of().take([1, 0, *range(2, 1440)])
OFF_GRID = with_values("open_time", {1439: START_MS + 1439 * MINUTE_MS + 1})
OTHER_METADATA = table_of().replace_schema_metadata({"coinfarm.known_slots": "?"})


@pytest.mark.parametrize(
    ("table", "details", "candles"),
    [
        pytest.param(with_values("high", {7: 1.0}), ["2020-01-01 00:07 high"] * 3, 1440, id="high too low"),
        pytest.param(
            with_values("close", dict.fromkeys(range(15), -1.0)),
            [f"2020-01-01 00:{at:02} close" for at in range(15)],
            1440,
            id="more than ten",
        ),
        pytest.param(with_values("volume", {0: np.nan}), ["2020-01-01 00:00 volume"], 1440, id="NaN"),
        pytest.param(DUPLICATE, ["2020-01-01 00:30 openTime is a duplicate with the same"], 1440, id="duplicate"),
        pytest.param(DUPLICATE_WITH_OTHER_VALUES, ["2020-01-01 00:30 openTime is a duplicate with other"], 1439, id="other duplicate"),
        pytest.param(SWAPPED, ["2020-01-01 00:00 openTime"], 1440, id="out of order"),
        pytest.param(OFF_GRID, ["2020-01-01 23:59 openTime"], 1439, id="off the grid"),
        pytest.param(with_values("open_time", {1439: 2**62}), ["4611686018427387904 openTime", "1 "], 1439, id="time out of range"),
        pytest.param(pq.read_table(io.BytesIO(parquet_from_candles(minutes(1450)))), ["10 "], 1440, id="candles of the next day"),
        pytest.param(b"PAR1", [""], 0, id="not Parquet"),
        pytest.param(table_of().drop_columns("close"), ["has no column"], 0, id="a column is missing"),
        pytest.param(table_of(close=["x"] * 1440), ["/close: "], 0, id="text instead of numbers"),
        pytest.param(table_of(close=pa.array([None, *[1.0] * 1439])), ["/candles/0/close: "], 0, id="a value is missing"),
        pytest.param(table_of()[:0], [""], 0, id="empty"),
        pytest.param(table_of().take(np.arange(14_401) % 1440), ["has 14,401 rows"], 0, id="far too many rows"),
        pytest.param(OTHER_METADATA, ["has invalid coinfarm.known_slots"], 1440, id="metadata"),
    ],
)
def test_lists_all_errors_of_a_day(store: CandleStore, check: Check, table: pa.Table | bytes, details: list[str], candles: int) -> None:
    put(store, FIRST, table)
    store.write_day(minutes(2 * 1440)[1440:])
    found = check()
    assert len(found.errors) == len(details), found.errors
    for error, detail in zip(found.errors, details, strict=True):
        assert error.detail.startswith(detail)
        assert (error.day, error.uri) == (FIRST, store.uri("DEMOUSD", "1m", FIRST))
    assert found.days == {FIRST: candles, SECOND: 1440}


def test_rejects_an_empty_store(store: CandleStore) -> None:
    with pytest.raises(NotFound, match=store.root):
        check_store(store)


def test_checks_a_store_that_has_only_damaged_days(store: CandleStore, check: Check) -> None:
    put(store, FIRST, b"")
    found = check()
    assert (found.coverage, len(found.errors), found.first_ms) == (CandleCoverage(0, 1440), 1, None)
    assert found.document()["firstCandle"] is None


def test_the_json_document(store: CandleStore, check: Check) -> None:
    store.write_day(minutes(600, missing=[5, 6]), known_to_ms=START_MS + 600 * MINUTE_MS)
    put(store, THIRD, b"")
    document = check().document()
    (error,) = document.pop("faults")
    assert (error["date"], error["uri"]) == ("2020-01-03", store.uri("DEMOUSD", "1m", THIRD))
    counts = {"candles": 598, "intervals": 4320, "coveragePct": 13.843}
    assert document == {
        "symbol": "DEMOUSD",
        "interval": "1m",
        "firstCandle": "2020-01-01T00:00:00Z",
        "lastCandle": "2020-01-01T09:59:00Z",
        **counts,
        "months": [{"month": "2020-01", **counts}],
        "days": {"2020-01-01": 598, "2020-01-03": 0},
        "partialDays": ["2020-01-01"],
        "holes": [{"from": "2020-01-01T00:05:00Z", "to": "2020-01-01T00:07:00Z", "minutes": 2}],
        "suspicious": [],
    }
