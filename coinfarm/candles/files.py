"""Candle files of any format: klines JSON (`json_rows`), CSV (`csv_file`) and Parquet (`parquet_file`)."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from coinfarm.candles.candles import Candles
from coinfarm.candles.csv_file import candles_from_csv
from coinfarm.candles.json_rows import candles_from_json
from coinfarm.candles.parquet_file import candles_from_parquet, parts_from_parquet
from coinfarm.errors import CoinfarmError


class MissingSeriesName(CoinfarmError):
    """A file whose symbol and interval are neither in its name nor given by the caller."""


_READERS: dict[str, Callable[[bytes, str, str], Candles]] = {
    ".json": candles_from_json,
    ".csv": candles_from_csv,
    ".parquet": candles_from_parquet,
}
# BTCUSD-1m.parquet, BTC-USD-1m.csv, klines-BTCUSD-1m.json: lower-case words may come first
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
    """The candles of a file's bytes that open in `[start_ms, stop_ms)`; None means no bound.

    The suffix of `file_name` gives the format. Symbol and interval are read from the name (`BTCUSD-1m.parquet`,
    `symbol=BTCUSD/interval=1m/…`) unless they are given.

    Raises `CandleError` for invalid content, `TooLarge` for more than `MAX_CANDLES`, and `CoinfarmError` for a name without a known
    suffix, symbol or interval.
    """
    suffix = PurePosixPath(file_name).suffix
    if suffix and suffix not in _READERS:
        raise _unknown_format(file_name)
    symbol, interval = _series_name(file_name, symbol, interval)
    if not suffix:
        raise _unknown_format(file_name)
    return _READERS[suffix](data, symbol, interval).between(start_ms, stop_ms)


def read_in_parts(path: Path, max_candles: int) -> Iterator[Candles]:
    """The candles of a file: a Parquet file in parts of at most `max_candles`, one in memory at a time; any other in one part.

    Raises the errors of `parse_candles`, part by part, and `OSError`.
    """
    if path.suffix == ".parquet":
        yield from parts_from_parquet(path, *_series_name(path.name, None, None), max_candles)
    else:
        yield parse_candles(path.read_bytes(), path.name)


def _series_name(file_name: str, symbol: str | None, interval: str | None) -> tuple[str, str]:
    match = _STORED_FILE.fullmatch(file_name) or _NAMED_FILE.fullmatch(PurePosixPath(file_name).name)
    symbol = symbol or (match["symbol"] if match else None)
    interval = interval or (match["interval"] if match else None)
    if symbol is None or interval is None:
        raise MissingSeriesName(f"{file_name}: the name contains no symbol and interval: rename it like BTCUSD-1m.parquet")
    return symbol, interval


def _unknown_format(file_name: str) -> CoinfarmError:
    return CoinfarmError(f"{file_name}: candles are read from .json, .csv and .parquet files; unpack a compressed one")
