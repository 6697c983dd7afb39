"""Files of candles, of any source: `sources` has how each is recognised."""

import warnings
from collections.abc import Iterator
from pathlib import Path

from coinfarm.candles.candles import Candles
from coinfarm.candles.series_check import check_series
from coinfarm.candles.sources.compression import MAX_UNPACKED_BYTES, printable
from coinfarm.candles.sources.container import Content, Format, Limits, open_content
from coinfarm.candles.sources.json_table import table_from_json
from coinfarm.candles.sources.names import SeriesHint, series_hint
from coinfarm.candles.sources.raw_table import RawTable
from coinfarm.candles.sources.reader import Expected, MissingSeriesName, Reading, read_table
from coinfarm.candles.validation import MAX_CANDLES
from coinfarm.errors import CandleError, CandleWarning, ErrorDetail

__all__ = ["MissingSeriesName", "Reading", "parse_candles", "read_candles", "read_in_parts"]


def read_candles(
    data: bytes,
    file_name: str,
    *,
    symbol: str | None = None,
    interval: str | None = None,
    timezone: str | None = None,
    max_unpacked_bytes: int = MAX_UNPACKED_BYTES,
    max_candles: int = MAX_CANDLES,
) -> Reading:
    """The candles of a file's bytes, and notes on what was dropped or looks wrong.

    The content gives the format, whatever the name. Symbol and interval are read from the name (`BTCUSD-1m.parquet`,
    `symbol=BTCUSD/interval=1m/…`) or the content unless they are given; the interval must be that of the data. `timezone` is that of times
    without one, such as `Europe/Athens`; by default they are UTC.

    Raises `CandleError` for other content, `TooLarge` for more than `max_candles` rows or too many bytes, and `MissingSeriesName` if the
    symbol is unknown.
    """
    try:
        content = open_content(data, max_unpacked_bytes)
        hint = series_hint(file_name)
        if content.zip_member and hint.symbol is None:
            hint = series_hint(content.zip_member)
        return read_table(_table(content, Limits(max_candles, max_unpacked_bytes)), _expected(hint, symbol, interval, timezone))
    except MissingSeriesName as error:
        raise MissingSeriesName(f"{file_name}: {error}") from None
    except CandleError as error:
        raise CandleError(*(ErrorDetail(item.pointer, printable(item.detail)) for item in error.errors)) from None


def parse_candles(
    data: bytes,
    file_name: str,
    *,
    symbol: str | None = None,
    interval: str | None = None,
    start_ms: int | None = None,
    stop_ms: int | None = None,
    max_unpacked_bytes: int = MAX_UNPACKED_BYTES,
) -> Candles:
    """The candles of `read_candles` that open in `[start_ms, stop_ms)`; None means no bound. Its notes are warnings, `CandleWarning`."""
    reading = read_candles(data, file_name, symbol=symbol, interval=interval, max_unpacked_bytes=max_unpacked_bytes)
    for note in reading.notes:
        warnings.warn(f"{file_name}: {note}", CandleWarning, stacklevel=2)
    return reading.candles.between(start_ms, stop_ms)


def read_in_parts(path: Path, max_candles: int) -> Iterator[Candles]:
    """The candles of a file: a Parquet file with our columns in parts of at most `max_candles`, one in memory at a time; any other in one.

    Raises the errors of `parse_candles`, part by part, and `OSError`.
    """
    from coinfarm.candles.parquet_file import has_candle_columns, parts_from_parquet

    hint = series_hint(path.name)
    if path.suffix == ".parquet" and hint.symbol and hint.interval and has_candle_columns(path):
        for part in parts_from_parquet(path, hint.symbol, hint.interval, max_candles):
            check_series(part)
            yield part
    else:
        yield parse_candles(path.read_bytes(), path.name)


def _table(content: Content, limits: Limits) -> RawTable:
    if content.format == Format.TEXT:
        if content.data[:1000].lstrip()[:1] in (b"[", b"{"):
            return table_from_json(content.data, limits.rows)
        from coinfarm.candles.sources.csv_table import table_from_csv

        return table_from_csv(content.data, limits.rows)
    from coinfarm.candles.sources import arrow_files, hdf5_files

    readers = {
        Format.PARQUET: arrow_files.table_from_parquet,
        Format.FEATHER: arrow_files.table_from_feather,
        Format.HDF5: hdf5_files.table_from_hdf5,
    }
    return readers[content.format](content.data, limits)


def _expected(hint: SeriesHint, symbol: str | None, interval: str | None, timezone: str | None) -> Expected:
    return Expected(symbol, interval, timezone, hint.symbol, hint.interval)
