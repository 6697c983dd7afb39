"""Candles as JSON has them: arrays, objects, numbers, strings."""

from typing import Any

import numpy as np
import pytest

from coinfarm.candles.json_rows import FIELDS, candles_from_rows, rows_from_candles
from coinfarm.errors import CandleError
from tests.support.synthetic_candles import MINUTE_MS, START_MS, assert_same_candles, minutes

AS_STRINGS = [[START_MS, "10", "12.5", "9", "11", "1.25"], [START_MS + MINUTE_MS, "11", "11", "11", "11", "0"]]
AS_NUMBERS = [[START_MS, 10, 12.5, 9, 11, 1.25], [START_MS + MINUTE_MS, 11.0, 11, 11, 11, 0]]
MIXED = [[START_MS, "10", 12.5, 9, "1.1e1", 1.25], [START_MS + MINUTE_MS, 11, "11", 11.0, "11", "0"]]


def as_objects(rows: list[list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(FIELDS, row, strict=True)) for row in rows]


def as_binance(rows: list[list[Any]]) -> list[list[Any]]:
    """With the six more fields of Binance's answers, which are not read."""
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


def test_candles_survive_as_rows_to_the_last_bit() -> None:
    candles = minutes(100)
    assert_same_candles(candles_from_rows(rows_from_candles(candles), "DEMOUSD", "1m"), candles)


def test_rows_are_spelled_as_binance_spells_them() -> None:
    assert rows_from_candles(candles_from_rows(AS_NUMBERS, "DEMOUSD", "1m"))[0] == [START_MS, "10.0", "12.5", "9.0", "11.0", "1.25"]


def array(**changed: Any) -> list[Any]:
    """A good second candle, changed."""
    return list((as_objects(AS_NUMBERS)[1] | changed).values())


@pytest.mark.parametrize(
    ("row", "message"),
    [
        pytest.param(7, "/candles/1: must be an array or an object, like the first, not a number", id="a number"),
        pytest.param("abcdef", "/candles/1: .* not a string", id="a string of six letters"),
        pytest.param(None, "/candles/1: .* not null", id="null"),
        pytest.param({}, "/candles/1: .* not an object", id="an object among arrays"),
        pytest.param([], "/candles/1: has 0 fields; a kline has 6 to 12", id="empty"),
        pytest.param(array()[:5], "/candles/1: has 5 fields", id="five fields"),
        pytest.param(array() + [0] * 7, "/candles/1: has 13 fields", id="thirteen fields"),
        pytest.param(array(openTime=str(START_MS)), "/candles/1/openTime: must be a whole number of milliseconds", id="time as a string"),
        pytest.param(array(openTime=float(START_MS)), "/candles/1/openTime: must be a whole number", id="time as a fraction"),
        pytest.param(array(openTime=True), "/candles/1/openTime: must be a whole number", id="time as a boolean"),
        pytest.param(array(openTime=None), "/candles/1/openTime: must be a whole number", id="no time"),
        pytest.param(array(openTime=2**63), "/candles: an openTime is beyond any calendar", id="time beyond 64 bits"),
        pytest.param(array(open=None), "/candles/1/open: must be a number, not null", id="null price"),
        pytest.param(array(high=True), "/candles/1/high: must be a number, not a boolean", id="boolean price"),
        pytest.param(array(low=[9]), "/candles/1/low: must be a number, not an array", id="array price"),
        pytest.param(array(close={}), "/candles/1/close: must be a number, not an object", id="object price"),
        pytest.param(array(close=""), "/candles/1/close: must be a number, not ''", id="empty string"),
        pytest.param(array(volume="1,5"), "/candles/1/volume: must be a number, not '1,5'", id="decimal comma"),
        pytest.param(array(open="1_000"), "/candles/1/open: must be a number, not '1_000'", id="underscore"),
        pytest.param(array(open=10**400), "/candles/1/open: must be a finite price", id="an integer beyond float64"),
        pytest.param(array(open="x" * 1_000), "/candles/1/open: must be a number, not 'x{39}$", id="a long string is cut"),
        pytest.param(array(open="NaN"), "/candles/1/open: must be a finite price", id="NaN as a string"),
        pytest.param(array(high="-Infinity"), "/candles/1/high: must be a finite price", id="infinity as a string"),
    ],
)
def test_a_bad_array_is_named(row: Any, message: str) -> None:
    with pytest.raises(CandleError, match=message):
        candles_from_rows([AS_NUMBERS[0], row], "DEMOUSD", "1m")


GOOD_OBJECT = as_objects(AS_NUMBERS)[1]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        pytest.param(AS_NUMBERS[1], "/candles/1: must be an object, as the first candle is, not an array", id="an array among objects"),
        pytest.param(None, "/candles/1: must be an object, .* not null", id="null"),
        pytest.param({key: GOOD_OBJECT[key] for key in FIELDS[:-1]}, "/candles/1/volume: is missing", id="missing field"),
        pytest.param(GOOD_OBJECT | {"vwap": 1}, "/candles/1/vwap: is unknown; the fields are openTime, open", id="unknown field"),
        pytest.param(GOOD_OBJECT | {"open": None}, "/candles/1/open: must be a number, not null", id="null price"),
    ],
)
def test_a_bad_object_is_named(row: Any, message: str) -> None:
    with pytest.raises(CandleError, match=message):
        candles_from_rows([as_objects(AS_NUMBERS)[0], row], "DEMOUSD", "1m")


def test_no_rows_are_no_candles() -> None:
    with pytest.raises(CandleError, match="/candles: there is no candle"):
        candles_from_rows([], "DEMOUSD", "1m")


def test_columns_are_float64_whatever_the_cells_are() -> None:
    assert {column.dtype for column in candles_from_rows(as_objects(AS_NUMBERS), "DEMOUSD", "1m").columns} == {np.dtype(np.float64)}
