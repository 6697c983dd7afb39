"""Candles in files: klines JSON, CSV and Parquet.

Here and elsewhere Arrow works without its thread pool (`use_threads=False`): a process that ends while the pool starts a thread is
aborted, with exit code 134 (https://github.com/apache/arrow/issues/34314).
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from coinfarm.candles.candles import Candles
from coinfarm.candles.rows import candles_from_rows
from coinfarm.candles.validation import MAX_CANDLES
from coinfarm.errors import CandleError, CoinfarmError, Fault, TooLarge, shortened
from image_render.windows import Columns

if TYPE_CHECKING:
    import pyarrow as pa


class UnnamedCandles(CoinfarmError):
    """A file whose name does not tell symbol and interval, where nobody gave them."""


COLUMN_NAMES = ("open_time", *Columns._fields)
_MAX_NAMES_LENGTH = 100
_ENDINGS = (".json", ".csv", ".parquet")
_ENDINGS_READ = "candles are read from .json, .csv and .parquet files; unpack a compressed one"
# BTCUSD-1m.parquet, BTC-USD-1m.csv, klines-BTCUSD-1m.json: words in lower case may come first
_NAMED_FILE = re.compile(r"(?:[a-z]+[-_])*(?P<symbol>[A-Za-z0-9]+(?:[-_][A-Z0-9]+)*)-(?P<interval>[0-9]+[a-z])\.[a-z]+")
_STORED_FILE = re.compile(r"(?:.*/)?symbol=(?P<symbol>[^/]+)/interval=(?P<interval>[^/]+)/[^/]+")


def parse_candles(
    data: bytes,
    file_name: str,
    *,
    symbol: str | None = None,
    interval: str | None = None,
    start_ms: int | None = None,
    stop_ms: int | None = None,
) -> Candles:
    """The candles of a file's bytes, those that open in `[start_ms, stop_ms)`; None is no bound.

    The ending tells the format; symbol and interval are told by the name (`BTCUSD-1m.parquet`, `symbol=BTCUSD/interval=1m/…`)
    where they are not given. Raises `CandleError` for what is wrong inside, `TooLarge` for more than `MAX_CANDLES`, `CoinfarmError` for a
    name that does not tell.
    """
    ending = PurePosixPath(file_name).suffix
    if ending and ending not in _ENDINGS:
        raise CoinfarmError(f"{file_name}: {_ENDINGS_READ}")
    symbol, interval = _identity(file_name, symbol, interval)
    if ending == ".json":
        return candles_from_rows(_json_rows(data), symbol, interval).between(start_ms, stop_ms)
    if ending == ".csv":
        table = _csv_table(data)
    elif ending == ".parquet":
        table = _parquet_table(data)
    else:
        raise CoinfarmError(f"{file_name}: {_ENDINGS_READ}")
    return _from_table(table, symbol, interval).between(start_ms, stop_ms)


def candle_parts(path: Path, max_candles: int) -> Iterator[Candles]:
    """The candles of a file, in parts of at most `max_candles` where it is Parquet: no more of it is in memory at a time.

    Raises as `parse_candles`, part by part, and `OSError`.
    """
    if path.suffix != ".parquet":
        yield parse_candles(path.read_bytes(), path.name)
        return
    symbol, interval = _identity(path.name, None, None)
    before, last_ms = 0, None
    for table in _parquet_parts(path, max_candles):
        try:
            part = _from_table(table, symbol, interval)
        except CandleError as error:
            raise CandleError(*(Fault(_counted_from(fault.pointer, before), fault.detail) for fault in error.faults)) from None
        if last_ms is not None and part.open_time[0] <= last_ms:
            raise CandleError(Fault(f"/candles/{before}/openTime", "is not later than the candle before it: the oldest candle comes first"))
        before, last_ms = before + len(part), part.open_time[-1]
        yield part


def _parquet_parts(path: Path, max_rows: int) -> "Iterator[pa.Table]":
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, memory_map=True) as file:
            check_columns(file.schema_arrow)
            if not file.metadata.num_rows:
                yield file.read(columns=list(COLUMN_NAMES), use_threads=False)
            for batch in file.iter_batches(max_rows, columns=list(COLUMN_NAMES), use_threads=False):
                yield pa.Table.from_batches([batch])
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise CandleError(Fault("", f"is not a Parquet file: {error}")) from None


def _counted_from(pointer: str, first: int) -> str:
    """`/candles/17/high` of a part that begins with candle `first` of its file."""
    return re.sub(r"(?<=^/candles/)[0-9]+", lambda number: str(int(number[0]) + first), pointer)


def parquet_from_candles(candles: Candles) -> bytes:
    """The candles as a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    columns = dict(zip(COLUMN_NAMES, (candles.open_time, *candles.columns), strict=True))
    pq.write_table(pa.table(columns), sink, compression="zstd")
    return bytes(sink.getvalue())


def _identity(file_name: str, symbol: str | None, interval: str | None) -> tuple[str, str]:
    named = _STORED_FILE.fullmatch(file_name) or _NAMED_FILE.fullmatch(PurePosixPath(file_name).name)
    symbol = symbol or (named["symbol"] if named else None)
    interval = interval or (named["interval"] if named else None)
    if symbol is None or interval is None:
        raise UnnamedCandles(f"{file_name}: the name does not tell symbol and interval: rename it like BTCUSD-1m.parquet")
    return symbol, interval


def _json_rows(data: bytes) -> list[object]:
    try:
        rows = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise CandleError(Fault("", f"is not JSON: {error}")) from None
    if not isinstance(rows, list):
        raise CandleError(Fault("", "must be a JSON array of candles"))
    return rows


def _csv_table(data: bytes) -> "pa.Table":
    import pyarrow as pa
    from pyarrow import csv

    _check_rows(data.count(b"\n"))
    types = {name: pa.float64() for name in COLUMN_NAMES} | {"open_time": pa.int64()}
    try:
        return csv.read_csv(
            pa.BufferReader(data),
            read_options=csv.ReadOptions(use_threads=False),
            convert_options=csv.ConvertOptions(column_types=types),
        )
    except pa.ArrowException as error:
        raise CandleError(Fault("", f"is not a CSV file of candles: {error}")) from None


def _parquet_table(data: bytes) -> "pa.Table":
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        # Before anything is unpacked: a text that is written once may stand in every row.
        _check_rows(file.metadata.num_rows)
        check_columns(file.schema_arrow)
        return file.read(columns=list(COLUMN_NAMES), use_threads=False)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise CandleError(Fault("", f"is not a Parquet file: {error}")) from None


def _check_rows(count: int) -> None:
    if count > MAX_CANDLES:
        raise TooLarge(f"the file has {count:,} rows, more than {MAX_CANDLES:,}: send it in parts")


def check_columns(schema: "pa.Schema") -> None:
    """Raises `CandleError` unless each of `COLUMN_NAMES` is there once, as numbers."""
    import pyarrow as pa

    try:
        names = schema.names
    except UnicodeDecodeError:
        raise CandleError(Fault("", "has a column whose name is no text")) from None
    for name in COLUMN_NAMES:
        if names.count(name) != 1:
            raise CandleError(
                Fault(
                    "",
                    f"has {names.count(name) or 'no'} columns {name}; it must have {', '.join(COLUMN_NAMES)}, and has "
                    f"{shortened(', '.join(names), _MAX_NAMES_LENGTH)}; docs/candles.md shows how to convert it",
                )
            )
        kind = schema.field(name).type
        wanted = pa.types.is_integer if name == "open_time" else _is_number
        if not wanted(kind):
            raise CandleError(Fault(f"/{name}", f"must be a column of numbers, not of {kind}"))


def _from_table(table: "pa.Table", symbol: str, interval: str) -> Candles:
    check_columns(table.schema)
    if not len(table):
        raise CandleError(Fault("", "there is no candle"))
    for name in COLUMN_NAMES:
        column = table[name]
        if column.null_count:
            raise CandleError(Fault(f"/candles/{column.is_null().index(True).as_py()}/{name}", "is missing"))
    time, *values = (table[name].to_numpy() for name in COLUMN_NAMES)
    return Candles.checked(symbol, interval, time, Columns(*values))


def _is_number(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
