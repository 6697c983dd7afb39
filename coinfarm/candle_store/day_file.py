"""A day of candles as a Parquet file, with the columns of every candle file. Its metadata lists the known slots of an incomplete day."""

import base64
import binascii
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Times
from coinfarm.candles.arrow_table import CANDLE_COLUMNS, check_columns
from coinfarm.candles.day import Day, day_of, slots_per_day
from coinfarm.candles.parquet_file import candles_from_parquet
from coinfarm.errors import CandleError, ErrorDetail
from image_render.windows import Columns

if TYPE_CHECKING:
    import pyarrow.parquet as pq

MAX_DAY_FILE_BYTES = 16 << 20
"""The limit for one day's file, two hundred times the largest that is written."""
_MAX_ROWS_PER_SLOT = 10
"""The maximum number of rows per slot: a day with duplicates is still read, so that its errors can be listed."""
_ENCODINGS = {"open_time": "DELTA_BINARY_PACKED", **dict.fromkeys(Columns._fields, "PLAIN")}
_KNOWN_SLOTS_KEY = b"coinfarm.known_slots"


def day_to_parquet(day: Day) -> bytes:
    """The file of a day, in the usual columns. A complete day has no metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    candles = day.candles
    table = pa.table(dict(zip(CANDLE_COLUMNS, (candles.open_time, *candles.columns), strict=True)))
    if not day.is_complete:
        table = table.replace_schema_metadata({_KNOWN_SLOTS_KEY: base64.b64encode(np.packbits(day.known).tobytes())})
    sink = pa.BufferOutputStream()
    # Half the time of zstd, to write and to read, for a seventh more bytes. Prices hardly repeat, so a dictionary of them is larger.
    pq.write_table(table, sink, compression="snappy", use_dictionary=False, column_encoding=_ENCODINGS, write_statistics=False)
    return bytes(sink.getvalue())


def day_from_parquet(data: bytes, symbol: str, interval: str, day: date) -> Day:
    """The day in a file. Raises `CandleError` for invalid content and for candles of another day."""
    file = open_day_file(data, interval)
    candles = candles_from_parquet(data, symbol, interval)
    for at in (0, -1):
        if day_of(int(candles.open_time[at])) != day:
            raise CandleError(
                ErrorDetail(f"/candles/{at % len(candles)}/openTime", f"is on {day_of(int(candles.open_time[at]))}, not on {day}")
            )
    known = _known_slots(file, interval)
    return replace(Day.of(candles, day, known), known=known)


def open_day_file(data: bytes, interval: str) -> "pq.ParquetFile":
    """Open a file, reading only its footer. Raises `CandleError` for other files, and for far more rows than a day has candles."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(pa.BufferReader(data))
    except (pa.ArrowException, OSError) as error:
        raise CandleError(ErrorDetail("", f"is not a Parquet file: {error}")) from None
    if file.metadata.num_rows > _MAX_ROWS_PER_SLOT * slots_per_day(interval):  # from the footer, before memory is allocated
        raise CandleError(
            ErrorDetail("", f"has {file.metadata.num_rows:,} rows; a day of {interval} has {slots_per_day(interval):,} candles")
        )
    return file


def unchecked_columns(data: bytes, interval: str) -> tuple[Times, Columns] | None:
    """The columns of a file without validation, times in milliseconds UTC; None unless all of them are numbers without nulls."""
    import pyarrow as pa

    try:
        file = open_day_file(data, interval)
        check_columns(file.schema_arrow)
        table = file.read(columns=list(CANDLE_COLUMNS), use_threads=False)
        if any(column.null_count for column in table.columns):
            return None
        time, *values = (column.to_numpy() for column in table.columns)
        return time.astype(np.int64, casting="safe"), Columns(*(column.astype(np.float64, casting="same_kind") for column in values))
    except (CandleError, pa.ArrowException, OSError, UnicodeDecodeError, TypeError, ValueError):
        return None


def _known_slots(file: "pq.ParquetFile", interval: str) -> NDArray[np.bool_]:
    slots = slots_per_day(interval)
    text = (file.schema_arrow.metadata or {}).get(_KNOWN_SLOTS_KEY)
    if text is None:
        return np.ones(slots, np.bool_)
    try:
        bits = np.frombuffer(base64.b64decode(text, validate=True), np.uint8)
        return np.unpackbits(bits, count=slots).astype(np.bool_)
    except (binascii.Error, ValueError) as error:
        raise CandleError(ErrorDetail("", f"has invalid coinfarm.known_slots metadata: {error}")) from None
