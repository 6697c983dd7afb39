"""Candles in JSON: rows, each an array (a kline in Binance's format) or an object."""

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles
from coinfarm.candles.interval import interval_ms
from coinfarm.candles.series_check import check_series
from coinfarm.candles.validation import FIRST_MICROSECONDS, MAX_CANDLES, MIN_MILLISECONDS
from coinfarm.errors import CandleError, ErrorDetail
from image_render.windows import Columns

FIELDS = ("openTime", *Columns._fields)
_MIN_FIELDS = 3
_KLINE_LENGTHS = range(len(FIELDS), 13)  # Binance's twelve, of which the first six are read


def candles_from_rows(rows: Sequence[Any], symbol: str, interval: str) -> Candles:
    """Validate and convert rows of any source, such as `[openTime, open, high, low, close, volume, …]` or `{"openTime", "open", …}`.

    Binance's klines, with prices as numbers or strings, are read without a detour. Raises `CandleError`, which names candle and field.
    """
    if not rows:
        raise CandleError(ErrorDetail("/candles", "has no candles"))
    if not _is_kline(rows[0], interval):
        return _from_other_source(rows, symbol, interval)
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
    if len(open_time) > 1 and (open_time[1:] < open_time[:-1]).all():
        open_time, columns = open_time[::-1].copy(), [column[::-1].copy() for column in columns]
    candles = Candles.checked(symbol, interval, open_time, Columns(*columns))
    check_series(candles)
    return candles


def rows_from_candles(candles: Candles) -> list[list[int | str]]:
    """The candles as klines of six fields, prices and volumes as strings, in Binance's format."""
    times = candles.open_time.tolist()
    values = zip(*(column.tolist() for column in candles.columns), strict=True)
    return [[time, *map(repr, row)] for time, row in zip(times, values, strict=True)]


def _is_kline(row: Any, interval: str) -> bool:
    """Whether a row is a kline or an object of its fields: its time is in milliseconds, and a seventh field is the close time."""
    if isinstance(row, dict):
        return all(field in row for field in FIELDS)
    if not isinstance(row, list) or len(row) < len(FIELDS) or type(row[0]) is not int:
        return not isinstance(row, list) or len(row) < _MIN_FIELDS
    if not row[0] >= MIN_MILLISECONDS:
        return False
    if len(row) == len(FIELDS) or len(row) not in _KLINE_LENGTHS:
        return True
    if type(row[6]) is not int:
        return False
    length_ms = (row[6] - row[0]) / (1000 if row[0] >= FIRST_MICROSECONDS else 1)
    return round(length_ms + 0.5) in (interval_ms(interval), interval_ms(interval) + 1)


def _from_other_source(rows: Sequence[Any], symbol: str, interval: str) -> Candles:
    from coinfarm.candles.sources.json_table import table_from_rows
    from coinfarm.candles.sources.reader import Expected, read_table

    try:
        candles = read_table(table_from_rows(rows, MAX_CANDLES), Expected(symbol, interval)).candles
    except CandleError as error:
        raise CandleError(*(ErrorDetail(item.pointer or "/candles", item.detail) for item in error.errors)) from None
    return replace(candles, symbol=symbol, interval=interval)


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
