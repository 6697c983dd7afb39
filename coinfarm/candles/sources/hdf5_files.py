"""HDF5 files as pandas writes them (`to_hdf`, in the formats `table` and `fixed`), which freqtrade stored until 2024, as raw tables.

They are read by h5py, not by pandas: PyTables executes what is pickled in attributes. Here the names in them are found without running it.
"""

import io
import pickletools
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.sources.container import Limits
from coinfarm.candles.sources.raw_table import RawColumn, RawTable
from coinfarm.errors import CandleError, ErrorDetail
from coinfarm.extras import require

if TYPE_CHECKING:
    import h5py

_BLOSC = "32001"
_BLOSC_SIZE = slice(4, 8)
"""Where the header of a compressed chunk has its size, little-endian."""
_NATIVE_FILTERS = {"gzip", "shuffle", "fletcher32"}
_TABLE, _FIXED = "frame_table", "frame"

Named = Iterator[tuple[str, RawColumn]]


def table_from_hdf5(data: bytes, limits: Limits) -> RawTable:
    """The only frame of a file.

    Raises `CandleError`, `TooLarge` for more than the limits, and `MissingPackage` without h5py or, where it is needed, blosc.
    """
    require("reading HDF5 files", "h5py")
    import h5py

    try:
        with h5py.File(io.BytesIO(data)) as file:
            frames: list[tuple[str, Any]] = []

            def collect(name: str, node: Any) -> None:
                if _text(node, "pandas_type") in (_TABLE, _FIXED):
                    frames.append((name, node))

            file.visititems(collect)
            if len(frames) != 1:
                names = ", ".join(name for name, _ in frames[:4]) or "none"
                raise CandleError(ErrorDetail("", f"must have one data frame of pandas, but has {len(frames)} ({names})"))
            _, group = frames[0]
            columns = list(_table(group, limits) if _text(group, "pandas_type") == _TABLE else _fixed(group, limits))
    except (OSError, KeyError, ValueError, RuntimeError, TypeError) as error:
        raise CandleError(ErrorDetail("", f"is an HDF5 file that cannot be read: {error}")) from None
    return RawTable([column for _, column in columns], tuple(name for name, _ in columns), "HDF5", locate=lambda row: f"row {row}")


def _table(group: "h5py.Group", limits: Limits) -> Named:
    """The fields of the rows: columns of their own, such as `date`, and blocks of columns of one type."""
    dataset = group["table"]
    rows = _read(dataset, limits)
    has_zone = b"tz" in bytes(group.attrs.get("info", b""))
    for field in rows.dtype.names or ():
        kind = _text(dataset, f"{field}_dtype") or _text(dataset, f"{field}_kind")
        if field == "index":
            yield "", _column(rows[field], kind, has_zone)
            continue
        values = rows[field].reshape(len(rows), -1)
        for at, name in enumerate(_texts(dataset.attrs[f"{field}_kind"])[: values.shape[1]]):
            yield name, _column(values[:, at], kind, has_zone)


def _fixed(group: "h5py.Group", limits: Limits) -> Named:
    """The index, and the blocks of columns of one type."""
    index = group["axis1"]
    times = _read(index, limits)
    yield "", _column(times, _text(index, "kind"), "tz" in index.attrs)
    for block in range(int(group.attrs["nblocks"])):
        dataset = group[f"block{block}_values"]
        values, names = _read(dataset, limits), _read(group[f"block{block}_items"], limits)
        if values.ndim == 2 and values.shape == (len(names), len(times)) and not dataset.attrs.get("transposed", 0):
            values = values.T
        if values.shape != (len(times), len(names)):
            raise ValueError(f"columns of objects ({', '.join(name.decode(errors='replace') for name in names.tolist())})")
        for at, name in enumerate(names.tolist()):
            yield name.decode(errors="replace"), _column(values[:, at], _text(dataset, "value_type"), "tz" in dataset.attrs)


def _read(dataset: "h5py.Dataset", limits: Limits) -> NDArray[Any]:
    """The values of a data set. Its size is checked before it is unpacked."""
    if dataset.external or dataset.is_virtual or dataset.dtype.hasobject:
        raise ValueError(f"{dataset.name} has its values elsewhere, or has objects")
    limits.check_rows(dataset.shape[0] if dataset.shape else 0)
    limits.check_bytes(dataset.size * dataset.dtype.itemsize)
    filters = {str(name) for name in dataset._filters}  # the public properties know only those of HDF5
    if filters <= _NATIVE_FILTERS:
        return np.asarray(dataset[()])
    if filters != {_BLOSC} or dataset.ndim != 1:
        raise ValueError(f"it is compressed by an unsupported filter ({', '.join(sorted(filters))}): write it with complib='zlib'")
    return _unblosc(dataset)


def _unblosc(dataset: "h5py.Dataset") -> NDArray[Any]:
    require("reading HDF5 files that are compressed by Blosc, as those of freqtrade are,", "blosc")
    import blosc

    values = np.zeros(dataset.shape, dataset.dtype)
    length = dataset.chunks[0]
    for first in range(0, len(values), length):
        mask, chunk = dataset.id.read_direct_chunk((first,))
        if not mask:
            if int.from_bytes(chunk[_BLOSC_SIZE], "little") > length * dataset.dtype.itemsize:
                raise ValueError("a chunk is larger than it should be")
            try:
                chunk = blosc.decompress(chunk)
            except blosc.blosc_extension.error:
                raise ValueError("a compressed chunk is damaged") from None
        part = np.frombuffer(chunk, dataset.dtype)[: len(values) - first]
        values[first : first + len(part)] = part
    return values


def _column(values: NDArray[Any], kind: str, has_zone: bool) -> RawColumn:
    """Cells of one column; times are whole numbers of a unit since 1970, in UTC if they have a zone."""
    if match := re.match(r"datetime64(?:\[(s|ms|us|ns)\b)?", kind):
        times = values.astype(np.int64).astype(f"datetime64[{match[1] or 'ns'}]")
        return RawColumn(times.astype("datetime64[ms]"), has_zone)
    if values.dtype.kind == "S":
        return RawColumn.of_cells([cell.decode(errors="replace") for cell in values.tolist()])
    return RawColumn(values.astype(np.float64 if values.dtype.kind == "f" else np.int64))


def _text(node: "h5py.Group | h5py.Dataset", name: str) -> str:
    value = node.attrs.get(name, b"")
    return bytes(value).decode(errors="replace") if isinstance(value, bytes) else ""


def _texts(pickled: Any) -> list[str]:
    """The texts in a pickled list, which is not executed."""
    return [argument for _, argument, _ in pickletools.genops(bytes(pickled)) if isinstance(argument, str)]
