"""Candles in CSV files."""

from coinfarm.candles.arrow_table import CANDLE_COLUMNS, candles_from_table, check_row_count
from coinfarm.candles.candles import Candles
from coinfarm.errors import CandleError, ErrorDetail


def candles_from_csv(data: bytes, symbol: str, interval: str) -> Candles:
    """The candles of a CSV file whose header names `CANDLE_COLUMNS`. Raises `CandleError`, and `TooLarge` for too many rows."""
    import pyarrow as pa
    from pyarrow import csv

    check_row_count(data.count(b"\n"))
    types = {name: pa.float64() for name in CANDLE_COLUMNS} | {"open_time": pa.int64()}
    try:
        table = csv.read_csv(
            pa.BufferReader(data),
            read_options=csv.ReadOptions(use_threads=False),
            convert_options=csv.ConvertOptions(column_types=types),
        )
    except pa.ArrowException as error:
        raise CandleError(ErrorDetail("", f"is not a CSV file of candles: {error}")) from None
    return candles_from_table(table, symbol, interval)
