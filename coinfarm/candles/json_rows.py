"""Candles in JSON: rows, each an array (a kline in Binance's format) or an object."""

import json
import math
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles
from coinfarm.errors import CandleError, ErrorDetail
from image_render.windows import Columns

FIELDS = ("openTime", *Columns._fields)
_KLINE_LENGTHS = range(len(FIELDS), 13)  # Binance's twelve, of which the first six are read


def candles_from_json(data: bytes, symbol: str, interval: str) -> Candles:
    """The candles of a JSON file that holds an array of rows. Raises `CandleError`."""
    try:
        rows = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise CandleError(ErrorDetail("", f"is not JSON: {error}")) from None
    if not isinstance(rows, list):
        raise CandleError(ErrorDetail("", "must be a JSON array of candles"))
    return candles_from_rows(rows, symbol, interval)


def candles_from_rows(rows: Sequence[Any], symbol: str, interval: str) -> Candles:
    """Validate and convert rows `[openTime, open, high, low, close, volume, …]` or `{"openTime", "open", …}`.

    Times are integers, prices and volumes numbers or strings. Raises `CandleError`, which names candle and field.
    """
    if not rows:
        raise CandleError(ErrorDetail("/candles", "has no candles"))
    by_field = _transpose(rows)
    time, *values = by_field
    for at, cell in enumerate(time):
        if type(cell) is not int:
            raise CandleError(ErrorDetail(f"/candles/{at}/openTime", "must be a whole number of milliseconds"))
    try:
        open_time = np.array(time, np.int64)
    except OverflowError:
        raise CandleError(ErrorDetail("/candles", "an openTime is out of range")) from None
    columns = [_numbers(cells, field) for field, cells in zip(Columns._fields, values, strict=True)]
    return Candles.checked(symbol, interval, open_time, Columns(*columns))


def rows_from_candles(candles: Candles) -> list[list[int | str]]:
    """The candles as klines of six fields, prices and volumes as strings, in Binance's format."""
    times = candles.open_time.tolist()
    values = zip(*(column.tolist() for column in candles.columns), strict=True)
    return [[time, *map(repr, row)] for time, row in zip(times, values, strict=True)]


def _transpose(rows: Sequence[Any]) -> list[tuple[Any, ...]]:
    if isinstance(rows[0], dict):
        rows = [_object_as_array(at, row) for at, row in enumerate(rows)]
    for at, row in enumerate(rows):
        if not isinstance(row, list):
            raise CandleError(ErrorDetail(f"/candles/{at}", f"must be an array or an object, the same for all candles, not {_kind(row)}"))
        if len(row) not in _KLINE_LENGTHS:
            raise CandleError(
                ErrorDetail(f"/candles/{at}", f"has {len(row)} fields; a kline has 6 to 12, starting with {', '.join(FIELDS)}")
            )
    return list(zip(*(row[: len(FIELDS)] for row in rows), strict=True))


def _object_as_array(at: int, row: Any) -> list[Any]:
    if not isinstance(row, dict):
        raise CandleError(ErrorDetail(f"/candles/{at}", f"must be an object, as the first candle is, not {_kind(row)}"))
    for field in FIELDS:
        if field not in row:
            raise CandleError(ErrorDetail(f"/candles/{at}/{field}", "is missing"))
    for field in row:
        if field not in FIELDS:
            raise CandleError(ErrorDetail(f"/candles/{at}/{field}", f"is unknown; the fields are {', '.join(FIELDS)}"))
    return [row[field] for field in FIELDS]


def _numbers(cells: Sequence[Any], field: str) -> Values:
    """Numbers, or strings of numbers, as float64 `(n,)`."""
    types = set(map(type, cells))
    if types <= {int, float} or (types == {str} and "_" not in "".join(cells)):
        with suppress(ValueError, OverflowError):  # the cell is found below
            return np.fromiter(map(float, cells), np.float64, len(cells))
    numbers = []
    for at, cell in enumerate(cells):
        try:
            numbers.append(_number(cell))
        except (TypeError, ValueError):
            shown = f"{cell!r:.40}" if isinstance(cell, str) else _kind(cell)
            raise CandleError(ErrorDetail(f"/candles/{at}/{field}", f"must be a number, not {shown}")) from None
    return np.array(numbers)


def _number(cell: Any) -> float:
    if type(cell) not in (str, int, float):  # a bool is an int
        raise TypeError
    if isinstance(cell, str) and "_" in cell:  # Python reads 1_000 as a thousand
        raise ValueError
    try:
        return float(cell)
    except OverflowError:  # an integer beyond float64, which validation rejects
        return math.inf


def _kind(value: Any) -> str:
    """The JSON name of a value's type."""
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
