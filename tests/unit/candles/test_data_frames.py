import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from coinfarm.candles.arrow_table import CANDLE_COLUMNS
from coinfarm.candles.candles import Candles
from coinfarm.candles.data_frames import arrow_table, candles_from_data_frame
from coinfarm.errors import CandleError, InvalidInput
from tests.support.synthetic_candles import MINUTE_MS, START_MS, assert_same_candles, minutes

CANDLES = minutes(20, missing={4, 5})


def columns_of(candles: Candles) -> dict[str, Any]:
    return dict(zip(CANDLE_COLUMNS, (candles.open_time, *candles.columns), strict=True))


def structured(candles: Candles) -> np.ndarray[Any, np.dtype[Any]]:
    columns = columns_of(candles)
    array = np.empty(len(candles), [(name, column.dtype) for name, column in columns.items()])
    for name, column in columns.items():
        array[name] = column
    return array


class DataFrame:
    """As pandas, polars and others: it exports Arrow's stream, and is nothing else that is known."""

    def __init__(self, columns: dict[str, Any]) -> None:
        self._table = pa.table(columns)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize(
    "table_of",
    [
        columns_of,
        structured,
        lambda candles: pa.table(columns_of(candles)),
        lambda candles: DataFrame(columns_of(candles)),
        lambda candles: DataFrame({"more": ["text"] * len(candles), **dict(reversed(columns_of(candles).items()))}),
        lambda candles: DataFrame({**columns_of(candles), "__index_level_0__": np.arange(len(candles))}),
        lambda candles: {**columns_of(candles), "open_time": candles.open_time * 1000},
    ],
    ids=["mapping", "structured array", "Arrow table", "data frame", "other order and more columns", "index", "microseconds"],
)
def test_reads_every_kind_of_table(table_of: Callable[[Candles], Any]) -> None:
    assert_same_candles(candles_from_data_frame(table_of(CANDLES), "DEMOUSD"), CANDLES)


def test_symbol_and_interval_may_be_given() -> None:
    hour = START_MS + np.arange(3) * 60 * MINUTE_MS
    table = {"open_time": hour, **{name: np.ones(3) for name in CANDLE_COLUMNS[1:]}}
    given, guessed = candles_from_data_frame(table, "BTCUSD", "30m"), candles_from_data_frame(table)
    assert (given.symbol, given.interval) == ("BTCUSD", "30m")
    assert (guessed.symbol, guessed.interval) == ("UNKNOWN", "1h")


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
@pytest.mark.parametrize("name", ["open_time", "__index_level_0__"], ids=["column", "index"])
def test_timestamps_become_milliseconds(unit: str, zone: str | None, name: str) -> None:
    times = pa.array(CANDLES.open_time, pa.timestamp("ms")).cast(pa.timestamp(unit)).cast(pa.timestamp(unit, zone))
    table = DataFrame({**{name: column for name, column in columns_of(CANDLES).items() if name != "open_time"}, name: times})
    assert_same_candles(candles_from_data_frame(table, "DEMOUSD"), CANDLES)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"open_time": (CANDLES.open_time / 1000).astype(np.float64)}, id="seconds as floats"),
        pytest.param({"open_time": (CANDLES.open_time // 1000).astype(str).tolist()}, id="seconds as text"),
        pytest.param({"open_time": np.datetime_as_string(CANDLES.open_time.astype("datetime64[ms]")).tolist()}, id="text"),
        pytest.param({"open_time": None, "Date": CANDLES.open_time * 1_000_000}, id="nanoseconds by another name"),
        pytest.param({"open": list(map(str, CANDLES.columns.open.tolist()))}, id="prices as text"),
    ],
)
def test_reads_other_types_and_names(change: dict[str, Any]) -> None:
    columns = {name: column for name, column in (columns_of(CANDLES) | change).items() if column is not None}
    assert_same_candles(candles_from_data_frame(columns, "DEMOUSD"), CANDLES)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        pytest.param({"close": None}, "close.*open_time, open, high, low, volume", id="missing column"),
        pytest.param({"close": [1.0]}, "", id="columns of different lengths"),
        pytest.param({"open_time": ["yesterday"] * 18}, "18 rows.*yesterday", id="times that are none"),
        pytest.param({"open_time": [*CANDLES.open_time[:-1].tolist(), None]}, "row 17", id="no time"),
        pytest.param({"open": ["one", *["1"] * 17]}, "row 0.*open.*'one'", id="prices that are none"),
        pytest.param({"high": [-1.0, *CANDLES.columns.high[1:]]}, "row 0.*high", id="invalid price"),
    ],
)
def test_rejects_a_broken_table(change: dict[str, Any], named: str) -> None:
    columns = {name: column for name, column in (columns_of(CANDLES) | change).items() if column is not None}
    with pytest.raises(CandleError) as raised:
        candles_from_data_frame(columns)
    assert re.search(named, raised.value.errors[0].detail)


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_candles_have_no_interval(count: int) -> None:
    assert candles_from_data_frame(columns_of(CANDLES[:2])).interval == "1m"
    with pytest.raises(InvalidInput):
        candles_from_data_frame(columns_of(CANDLES[:count]))


def test_a_step_that_is_no_interval_is_named() -> None:
    times = START_MS + np.arange(3) * 7 * MINUTE_MS
    with pytest.raises(InvalidInput) as raised:
        candles_from_data_frame({"open_time": times, **{name: np.ones(3) for name in CANDLE_COLUMNS[1:]}})
    assert [error.pointer for error in raised.value.errors] == ["/interval"]


@pytest.mark.parametrize(
    "table", [None, "BTCUSD-1m.csv", [[START_MS, 1, 1, 1, 1, 1]], np.ones((3, 6))], ids=lambda table: type(table).__name__
)
def test_rejects_what_is_not_a_table(table: object) -> None:
    with pytest.raises(CandleError, match=type(table).__name__) as raised:
        arrow_table(table)
    assert [error.pointer for error in raised.value.errors] == [""]


def test_most_columns_are_not_copied() -> None:
    price = np.ones(1_000)
    assert arrow_table({"open": price})["open"].chunk(0).buffers()[1].address == price.ctypes.data
