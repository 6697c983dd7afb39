"""Memory-mapped arrays of candles and of what is computed from them, so that they may be larger than memory."""

import os
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from coinfarm.candles.candles import Candles
from coinfarm.candles.files import read_in_parts
from coinfarm.candles.gaps import fill_gaps
from coinfarm.errors import CandleError, CoinfarmError, system_error_text
from coinfarm.storage.local_file import naming_path
from image_render.windows import Columns

_CANDLES_AT_ONCE = 1_000_000


def allocate_array(shape: tuple[int, ...], dtype: DTypeLike, path: Path | None) -> NDArray[Any]:
    """An uninitialised array in memory or, with a path, mapped from a file. Raises `OSError` if the disk is full."""
    if path is None or not all(shape):  # an empty file cannot be mapped
        return np.empty(shape, dtype)
    with naming_path(path):
        array = np.asarray(np.lib.format.open_memmap(path, "w+", np.dtype(dtype), shape))
        with path.open("r+b") as file:  # writing to a mapped page on a full disk would kill the process
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return array


def mapped_candles(path: Path, folder: Path, candles_at_once: int = _CANDLES_AT_ONCE) -> Candles:
    """The candles of a file with gaps filled, as arrays mapped from files that are written to `folder`, which is created.

    Raises `CoinfarmError` for an invalid or unreadable file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = ("open_time", *Columns._fields, "filled")
    files = [(folder / name).open("wb") for name in names]
    last = None
    try:
        for part in read_in_parts(path, candles_at_once):
            filled = fill_gaps(part) if last is None else fill_gaps(Candles.concatenate(part.symbol, part.interval, [last, part]))[1:]
            for file, column in zip(files, (filled.open_time, *filled.columns, filled.filled), strict=True):
                with naming_path(Path(file.name)):
                    file.write(np.ascontiguousarray(column).data)
            last = part[-1:]
        for file in files:
            with naming_path(Path(file.name)):
                file.flush()
    except CandleError as error:
        raise CoinfarmError(f"{path}: {error}") from None
    except OSError as error:
        error.filename = error.filename or str(path)
        raise CoinfarmError(system_error_text(error)) from None
    finally:
        for file in files:
            with suppress(OSError):  # from a buffer that a full disk left, already raised above
                file.close()
    if last is None:
        raise CoinfarmError(f"{path}: the file has no candles")
    dtypes = (np.int64, *(np.float64 for _ in Columns._fields), np.bool_)
    # as plain arrays: slicing a np.memmap is many times slower
    time, *values, filled_in = (np.asarray(np.memmap(folder / name, dtype, "r")) for name, dtype in zip(names, dtypes, strict=True))
    return Candles(last.symbol, last.interval, time, Columns(*values), filled_in)


def split_range(count: int, max_size: int) -> list[slice]:
    """Slices of at most `max_size` that cover `range(count)`."""
    bounds = [*range(0, count, max_size), count]
    return [slice(first, stop) for first, stop in pairwise(bounds)]
