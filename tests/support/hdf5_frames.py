"""HDF5 files with the layout in which pandas writes data frames, made without PyTables."""

import io
import pickle
from typing import Any

import h5py
import numpy as np

from coinfarm.candles.candles import Candles
from image_render.windows import Columns

BLOSC = 32001


def fixed_frame(candles: Candles, *, zone: bool = True, key: str = "df", **attributes: Any) -> bytes:
    """`to_hdf(key=…)` of a frame whose index are the times."""
    sink = io.BytesIO()
    with h5py.File(sink, "w") as file:
        _write_fixed(file.create_group(key), candles, zone)
        _set(file[key], **attributes)
    return sink.getvalue()


def two_frames(candles: Candles) -> bytes:
    sink = io.BytesIO()
    with h5py.File(sink, "w") as file:
        for key in ("BTC", "ETH"):
            _write_fixed(file.create_group(key), candles, zone=True)
    return sink.getvalue()


def table_frame(candles: Candles, *, compress: Any = None, names: bytes | None = None) -> bytes:
    """`to_hdf(format="table", data_columns=["date"])`, as freqtrade does; `compress` makes Blosc's chunk, otherwise zlib is used."""
    kind = np.dtype([("index", "<i8"), ("values_block_0", "<f8", (5,)), ("date", "<i8")])
    rows = np.zeros(len(candles), kind)
    rows["index"], rows["date"] = np.arange(len(candles)), candles.open_time * 1_000_000
    rows["values_block_0"] = np.column_stack(candles.columns)
    sink = io.BytesIO()
    with h5py.File(sink, "w") as file:
        group = file.create_group("BTC_USDT/ohlcv/tf_1m")
        _set(group, pandas_type=b"frame_table", info=b"(dp0\nVtz\np1\nVUTC\np2\ns.")
        if compress is None:
            dataset = group.create_dataset("table", data=rows, chunks=(16,), compression="gzip")
        else:
            dataset = _compressed_table(group, rows, compress)
        _set(dataset, index_kind=b"integer", date_dtype=b"datetime64[ns]", date_kind=pickle.dumps(["date"], 0))
        _set(dataset, values_block_0_dtype=b"float64", values_block_0_kind=names or pickle.dumps(list(Columns._fields), 0))
    return sink.getvalue()


def _set(node: Any, **attributes: Any) -> None:
    """Set attributes; bytes as PyTables does, with a fixed length."""
    node.attrs.update({name: np.bytes_(value) if isinstance(value, bytes) else value for name, value in attributes.items()})


def _write_fixed(group: Any, candles: Candles, zone: bool) -> None:
    _set(group, pandas_type=b"frame", nblocks=1)
    index = group.create_dataset("axis1", data=candles.open_time * 1_000_000)
    _set(index, kind=b"datetime64[ns]", transposed=1, **({"tz": b"UTC"} if zone else {}))
    group.create_dataset("block0_items", data=np.array(Columns._fields, "S6"))
    group.create_dataset("block0_values", data=np.column_stack(candles.columns)).attrs["transposed"] = 1


def _compressed_table(group: Any, rows: Any, compress: Any) -> Any:
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((len(rows),))
    properties.set_filter(BLOSC, h5py.h5z.FLAG_OPTIONAL, (2, 2, rows.itemsize, rows.nbytes, 9, 1))
    made = h5py.h5d.create(group.id, b"table", h5py.h5t.py_create(rows.dtype), h5py.h5s.create_simple(rows.shape), properties)
    made.write_direct_chunk((0,), compress(rows.tobytes()))
    return h5py.Dataset(made)
