"""Parquet and Feather layouts, compressed files, and what is no file of candles."""

import io
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq

from coinfarm.candles.parquet_file import parquet_from_candles
from tests.support.csv_layouts import CSV_LAYOUTS
from tests.support.hdf5_frames import fixed_frame, table_frame
from tests.support.layout_rows import SYMBOL, TRUTH, Layout, zip_bytes

_VALUES = dict(zip(("open", "high", "low", "close", "volume"), TRUTH.columns, strict=True))
_TIMES = pa.array(TRUTH.open_time, pa.timestamp("ms"))
_CSV = next(layout.data for layout in CSV_LAYOUTS if layout.shape == "our own columns")
_GIVEN = {"symbol": SYMBOL, "interval": "1m"}


def _parquet(columns: dict[str, Any]) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    return bytes(sink.getvalue())


def _feather(columns: dict[str, Any], compression: str = "lz4") -> bytes:
    sink = io.BytesIO()
    pyarrow.feather.write_feather(pa.table(columns), sink, compression)
    return sink.getvalue()


def _compressed(codec: str) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, codec) as stream:
        stream.write(_CSV)
    return bytes(sink.getvalue())


OTHER_LAYOUTS = [
    Layout("Coinfarm", "Parquet", "BTCUSDT-1m.parquet", parquet_from_candles(TRUTH)),
    Layout("Coinfarm", "Parquet, cut off", "BTCUSDT-1m.parquet", parquet_from_candles(TRUTH)[:-200], rejected="cut off"),
    Layout("freqtrade", "Feather", "BTC_USDT-1m.feather", _feather({"date": _TIMES.cast(pa.timestamp("ms", "UTC")), **_VALUES})),
    Layout(
        "freqtrade",
        "Feather, futures",
        "BTC_USDT_USDT-1m-futures.feather",
        _feather({"date": _TIMES.cast(pa.timestamp("ns", "UTC")), **_VALUES}, "zstd"),
    ),
    Layout("freqtrade", "Parquet", "BTC_USDT-1m.parquet", _parquet({"date": _TIMES.cast(pa.timestamp("us", "UTC")), **_VALUES})),
    Layout(
        "pandas",
        "Parquet, DatetimeIndex",
        "BTCUSDT-1m.parquet",
        _parquet({**_VALUES, "__index_level_0__": _TIMES.cast(pa.timestamp("ns"))}),
    ),
    Layout("polars", "Parquet, µs", "BTCUSDT-1m.parquet", _parquet({"timestamp": _TIMES.cast(pa.timestamp("us")), **_VALUES})),
    Layout(
        "Parquet",
        "decimals and text",
        "BTCUSDT-1m.parquet",
        _parquet(
            {
                "time": pa.array(map(str, TRUTH.open_time)),
                **{name: pa.array(map(repr, column.tolist())) for name, column in _VALUES.items()},
            }
        ),
    ),
    Layout(
        "Parquet",
        "two symbols in one file",
        "candles.parquet",
        _parquet({"symbol": ["BTCUSDT", "ETHUSDT"] * 30, "open_time": TRUTH.open_time, **_VALUES}),
        interval="1m",
        rejected="2 symbols",
    ),
    Layout(
        "Parquet",
        "hours that are called minutes",
        "BTCUSDT-1m.parquet",
        _parquet({"open_time": (TRUTH.open_time - TRUTH.open_time[0]) * 60 + TRUTH.open_time[0], **_VALUES}),
        rejected="1h candles, not 1m",
    ),
    Layout("CSV", "zstd", "BTCUSDT-1m.csv.zst", _compressed("zstd")),
    Layout("CSV", "bzip2", "BTCUSDT-1m.csv.bz2", _compressed("bz2")),
    Layout("CSV", "gzip, cut off", "BTCUSDT-1m.csv.gz", _compressed("gzip")[:-20], rejected="cut off"),
    Layout("CSV", "zip", "BTCUSDT-1m.zip", zip_bytes({"prices.csv": _CSV})),
    Layout("CSV", "zip of two files", "BTCUSDT-1m.zip", zip_bytes({"a.csv": _CSV, "b.csv": _CSV}), rejected="a.csv, b.csv"),
    Layout("CSV", "cut off in a line", "BTCUSDT-1m.csv", _CSV[:-25], rejected="cut off"),
    Layout("anything", "web page", "BTCUSDT-1m.csv", b"<!DOCTYPE html><html><body>404</body></html>", rejected="web page"),
    Layout(
        "anything",
        "Git LFS pointer",
        "BTCUSDT-1m.parquet",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        rejected="Git LFS",
    ),
    Layout("freqtrade", "HDF5", "BTC_USDT-1m.h5", table_frame(TRUTH)),
    Layout("pandas", "HDF5, DatetimeIndex", "BTCUSDT-1m.h5", fixed_frame(TRUTH)),
    Layout("anything", "HDF5, damaged", "BTCUSDT-1m.h5", b"\x89HDF\r\n\x1a\n" + bytes(100), rejected="HDF5"),
    Layout("anything", "Excel", "BTCUSDT-1m.xlsx", zip_bytes({"[Content_Types].xml": b"", "xl/workbook.xml": b""}), rejected="Excel"),
    Layout("anything", "pickle", "BTCUSDT-1m.pkl", b"\x80\x04\x95\x01", rejected="pickle"),
    Layout("anything", "empty", "BTCUSDT-1m.csv", b"", rejected="empty"),
]
