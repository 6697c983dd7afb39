"""Candles as files of several layouts."""

import json
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import feather

from coinfarm.candles.arrow_table import CANDLE_COLUMNS
from coinfarm.candles.candles import Candles
from coinfarm.candles.json_rows import rows_from_candles


def csv_text(candles: Candles, *, header: bool = True, microseconds: bool = False, twelve: bool = False) -> str:
    names = "open_time,open,high,low,close,volume" + ",close_time,quote_volume,count,a,b,ignore" * twelve
    factor = 1000 if microseconds else 1
    lines = [
        ",".join([str(int(time) * factor), *values]) + f",{(int(time) + 60_000) * factor - 1},0,1,0,0,0" * twelve
        for time, *values in ((row[0], *map(str, row[1:])) for row in rows_from_candles(candles))
    ]
    return "\n".join([*([names] if header else []), *lines, ""])


def csv_rows(candles: Candles, start: str = "") -> bytes:
    return (start + "".join(",".join(map(str, row)) + "\n" for row in rows_from_candles(candles))).encode()


def csv_from(candles: Candles) -> bytes:
    return csv_rows(candles, "# from an exchange\n" + ",".join(CANDLE_COLUMNS) + "\n")


def klines_from(candles: Candles) -> bytes:
    rows = [[row[0], *map(str, row[1:]), int(row[0]) + 59_999, "0", 1, "0", "0", "0"] for row in rows_from_candles(candles)]
    return json.dumps(rows, indent=1).encode()


def objects_from(candles: Candles) -> bytes:
    return json.dumps([dict(zip(CANDLE_COLUMNS, row, strict=True)) for row in rows_from_candles(candles)]).encode()


def lines_of_arrays_from(candles: Candles) -> bytes:
    return "".join(f"{json.dumps(row)}\n" for row in rows_from_candles(candles)).encode()


def lines_of_objects_from(candles: Candles) -> bytes:
    return objects_from(candles)[1:-1].replace(b"}, {", b"}\n\n{")


def utf_16_from(candles: Candles) -> bytes:
    return csv_from(candles).decode().encode("utf-16")


def texts_in_parquet_from(candles: Candles) -> bytes:
    """The symbol and the time as texts, the prices as decimals, in row groups that are no parts."""
    times = [str(np.datetime64(int(time), "ms")) + "Z" for time in candles.open_time]
    prices = {name: pa.array(getattr(candles.columns, name)).cast(pa.decimal128(18, 8)) for name in candles.columns._fields}
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"symbol": ["DEMOUSD"] * len(times), "time": times, **prices}), sink, row_group_size=1700)
    return bytes(sink.getvalue())


def local_times_from(candles: Candles) -> bytes:
    rows = (
        f"{datetime.fromtimestamp(row[0] / 1000, UTC):%Y-%m-%d %H:%M:%S},{','.join(map(str, row[1:]))}\n"
        for row in rows_from_candles(candles)
    )
    return (",".join(CANDLE_COLUMNS) + "\n" + "".join(rows)).encode()


def feather_from(candles: Candles) -> bytes:
    """In batches, as pandas and freqtrade write them."""
    table = pa.table(dict(zip(CANDLE_COLUMNS, (candles.open_time, *candles.columns), strict=True)))
    sink = pa.BufferOutputStream()
    feather.write_feather(table, sink, chunksize=700)
    return bytes(sink.getvalue())


def closed_from(candles: Candles) -> bytes:
    return csv_from(candles).replace(b"open_time", b"close_time")


def with_dropped_rows_from(candles: Candles) -> bytes:
    """A duplicate and an empty row in several parts, and a candle off the grid in one."""
    lines = csv_from(candles).decode().splitlines(keepends=True)
    rows = {1000: lines[1000], 5000: lines[5000], 6000: f"{lines[6000][:13]},,,,,\n", 8000: lines[8000].replace("0000,", "7000,", 1)}
    return "".join(line + rows.get(at, "") for at, line in enumerate(lines)).encode()
