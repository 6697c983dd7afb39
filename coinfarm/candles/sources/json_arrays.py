"""Large JSON arrays of rows, or lines of them, as columns: as CSV, which PyArrow reads many times faster than JSON objects are made."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.sources.raw_table import RawColumn, RawTable

if TYPE_CHECKING:
    import pyarrow as pa

MIN_BYTES = 1 << 20
"""Below this size, json.loads is as fast, and its messages are better."""
_BLOCK = 16 << 20
_USED_FIELDS = 8
_MANY_FIELDS = 11
_LINES = re.compile(rb"\s*\[[^][{}]+\]\s*\n\s*\[")
_BETWEEN_LINES = re.compile(rb"\]\s*\n\s*\[")
_FIRST_ROW = re.compile(rb'\s*\[\s*\[((?:\s*"?[-+0-9.eE]+"?\s*,)+\s*"?[-+0-9.eE]+"?\s*)\]')


def table_from_arrays(data: bytes, max_rows: int) -> RawTable | None:
    """The columns of arrays of numbers, or of text that are numbers, in an array or line by line; None for other JSON and too many rows.

    Of rows of eleven fields or more, which are klines, the first eight are read; the others are zero.
    """
    if _LINES.match(data[:4096]):
        data = b"[%b]" % _BETWEEN_LINES.sub(b"],[", data)
    first = _FIRST_ROW.match(data[:4096])
    if first is None or data.count(b"]") > max_rows + 1:
        return None
    fields = first[1].count(b",") + 1
    used = _USED_FIELDS if fields >= _MANY_FIELDS else fields
    parts: list[list[NDArray[Any]]] = []
    for block in _blocks(data):
        part = None if block is None else _columns(block, fields, used)
        if part is None:
            return None
        parts.append(part)
    columns = []
    for at in range(used):
        columns.append(RawColumn(np.concatenate([part[at] for part in parts])))
        for part in parts:
            part[at] = part[at][:0]
    count = len(columns[0].values)
    columns += [RawColumn(np.broadcast_to(np.zeros(1), (count,))) for _ in range(fields - used)]
    return RawTable(columns)


def _blocks(data: bytes) -> Iterator[bytes | None]:
    """Rows in lines of CSV; None for text that is not rows in brackets, and nothing else, up to its end."""
    start = data.index(b"[") + 1
    end = data.rstrip().rfind(b"]")
    if data[end:].strip() != b"]":
        yield None
        return
    while start < end:
        stop = end if end - start <= _BLOCK else data.rfind(b"]", start, start + _BLOCK) + 1
        block = data[start:stop].translate(None, b" \t\r\n")
        start = stop
        block = block.removeprefix(b",")
        if stop <= 0 or not (block.startswith(b"[") and block.endswith(b"]")):
            yield None
            return
        yield block[1:-1].replace(b"],[", b"\n")


def _columns(block: bytes, fields: int, used: int) -> "list[NDArray[Any]] | None":
    """Int64 or float64 columns; None if a row has another number of fields or a cell is no number."""
    import pyarrow as pa
    from pyarrow import csv

    names = [f"f{at}" for at in range(fields)]
    try:
        table = csv.read_csv(
            pa.BufferReader(block),
            read_options=csv.ReadOptions(use_threads=False, column_names=names, block_size=4 << 20),
            convert_options=csv.ConvertOptions(include_columns=names[:used], null_values=[]),
        )
    except pa.ArrowException:
        return None
    return _numeric(table)


def _numeric(table: "pa.Table") -> "list[NDArray[Any]] | None":
    import pyarrow as pa

    if any(not (pa.types.is_integer(kind) or pa.types.is_floating(kind)) for kind in table.schema.types):
        return None
    return [column.to_numpy() for column in table.columns]
