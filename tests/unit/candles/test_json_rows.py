from typing import Any

import numpy as np
import pytest

from coinfarm.candles.json_rows import FIELDS, candles_from_rows, rows_from_candles
from coinfarm.errors import CandleError
from tests.support.synthetic_candles import MINUTE_MS, START_MS

AS_STRINGS = [[START_MS, "10", "12.5", "9", "11", "1.25"], [START_MS + MINUTE_MS, "11", "11", "11", "11", "0"]]
AS_NUMBERS = [[START_MS, 10, 12.5, 9, 11, 1.25], [START_MS + MINUTE_MS, 11.0, 11, 11, 11, 0]]
MIXED = [[START_MS, "10", 12.5, 9, "1.1e1", 1.25], [START_MS + MINUTE_MS, 11, "11", 11.0, "11", "0"]]


def as_objects(rows: list[list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(FIELDS, row, strict=True)) for row in rows]


def as_binance(rows: list[list[Any]]) -> list[list[Any]]:
    """With the six more fields of Binance's responses, which are not read."""
    return [[*row, row[0] + MINUTE_MS - 1, "1012.5", 42, "0.5", "500.1", "0"] for row in rows]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(AS_STRINGS, id="strings"),
        pytest.param(AS_NUMBERS, id="numbers"),
        pytest.param(MIXED, id="mixed"),
        pytest.param(as_binance(AS_STRINGS), id="twelve fields"),
        pytest.param(as_objects(AS_STRINGS), id="objects of strings"),
        pytest.param(as_objects(AS_NUMBERS), id="objects of numbers"),
        pytest.param([dict(reversed(row.items())) for row in as_objects(MIXED)], id="objects in another order"),
    ],
)
def test_every_spelling_gives_the_same_candles(rows: list[Any]) -> None:
    candles = candles_from_rows(rows, "DEMOUSD", "1m")
    assert (candles.symbol, candles.interval) == ("DEMOUSD", "1m")
    assert candles.open_time.tolist() == [START_MS, START_MS + MINUTE_MS]
    assert [column.tolist() for column in candles.columns] == [[10, 11], [12.5, 11], [9, 11], [11, 11], [1.25, 0]]
    assert {column.dtype for column in candles.columns} == {np.dtype(np.float64)}


def test_rows_are_spelled_as_binance_spells_them() -> None:
    assert rows_from_candles(candles_from_rows(AS_NUMBERS, "DEMOUSD", "1m"))[0] == [START_MS, "10.0", "12.5", "9.0", "11.0", "1.25"]


def array(**changed: Any) -> list[Any]:
    """A valid second candle, changed."""
    return list((as_objects(AS_NUMBERS)[1] | changed).values())


def only_error(rows: list[Any]) -> tuple[str, str]:
    """Pointer and detail of the only error."""
    with pytest.raises(CandleError) as raised:
        candles_from_rows(rows, "DEMOUSD", "1m")
    (only,) = raised.value.errors
    return only.pointer, only.detail


@pytest.mark.parametrize(
    ("row", "pointer", "named"),
    [
        pytest.param(7, "/candles/1", "a number", id="a number"),
        pytest.param("abcdef", "/candles/1", "a string", id="a string of six letters"),
        pytest.param(None, "/candles/1", "null", id="null"),
        pytest.param({}, "/candles/1", "an object", id="an object among arrays"),
        pytest.param([], "/candles/1", "0", id="empty"),
        pytest.param(array()[:5], "/candles/1", "5", id="five fields"),
        pytest.param(array() + [0] * 7, "/candles/1", "13", id="thirteen fields"),
        pytest.param(array(openTime=str(START_MS)), "/candles/1/openTime", "", id="time as a string"),
        pytest.param(array(openTime=float(START_MS)), "/candles/1/openTime", "", id="time as a fraction"),
        pytest.param(array(openTime=True), "/candles/1/openTime", "", id="time as a boolean"),
        pytest.param(array(openTime=None), "/candles/1/openTime", "", id="no time"),
        pytest.param(array(openTime=2**63), "/candles", "", id="time beyond 64 bits"),
        pytest.param(array(open=None), "/candles/1/open", "null", id="null price"),
        pytest.param(array(high=True), "/candles/1/high", "a boolean", id="boolean price"),
        pytest.param(array(low=[9]), "/candles/1/low", "an array", id="array price"),
        pytest.param(array(close={}), "/candles/1/close", "an object", id="object price"),
        pytest.param(array(close=""), "/candles/1/close", "''", id="empty string"),
        pytest.param(array(volume="1,5"), "/candles/1/volume", "'1,5'", id="decimal comma"),
        pytest.param(array(open="1_000"), "/candles/1/open", "'1_000'", id="underscore"),
        pytest.param(array(open=10**400), "/candles/1/open", "", id="an integer beyond float64"),
        pytest.param(array(open="x" * 1_000), "/candles/1/open", "'xxx", id="a long string"),
        pytest.param(array(open="NaN"), "/candles/1/open", "", id="NaN as a string"),
        pytest.param(array(high="-Infinity"), "/candles/1/high", "", id="infinity as a string"),
    ],
)
def test_an_invalid_array_is_named(row: Any, pointer: str, named: str) -> None:
    found, detail = only_error([AS_NUMBERS[0], row])
    assert found == pointer
    assert named in detail
    assert len(detail) < 120


VALID_OBJECT = as_objects(AS_NUMBERS)[1]


@pytest.mark.parametrize(
    ("row", "pointer", "named"),
    [
        pytest.param(AS_NUMBERS[1], "/candles/1", "an array", id="an array among objects"),
        pytest.param(None, "/candles/1", "null", id="null"),
        pytest.param({key: VALID_OBJECT[key] for key in FIELDS[:-1]}, "/candles/1/volume", "", id="missing field"),
        pytest.param(VALID_OBJECT | {"vwap": 1}, "/candles/1/vwap", "openTime, open, high, low, close, volume", id="unknown field"),
        pytest.param(VALID_OBJECT | {"open": None}, "/candles/1/open", "null", id="null price"),
    ],
)
def test_an_invalid_object_is_named(row: Any, pointer: str, named: str) -> None:
    found, detail = only_error([as_objects(AS_NUMBERS)[0], row])
    assert found == pointer
    assert named in detail
