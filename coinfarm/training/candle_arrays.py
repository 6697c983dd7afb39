"""Candles on disk, seen as arrays: however many there are, memory holds what is just looked at."""

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
    """An array not yet filled, in memory or, where a path is given, in a file. Raises `OSError` where the disk has no room for it."""
    if path is None or not all(shape):  # an empty file cannot be mapped
        return np.empty(shape, dtype)
    with naming_path(path):
        array = np.asarray(np.lib.format.open_memmap(path, "w+", np.dtype(dtype), shape))
        with path.open("r+b") as file:  # a mapped page that finds the disk full would end the process with a signal
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return array


def mapped_candles(path: Path, folder: Path, candles_at_once: int = _CANDLES_AT_ONCE) -> Candles:
    """The candles of a file, holes filled, as arrays mapped from files that are written to `folder` (made here).

    Raises `CoinfarmError` for what is wrong with the file, and for one that cannot be read.
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
            with suppress(OSError):  # of what a full disk left in the buffer, told above
                file.close()
    if last is None:
        raise CoinfarmError(f"{path}: there is no candle")
    dtypes = (np.int64, *(np.float64 for _ in Columns._fields), np.bool_)
    # seen as plain arrays: slices of NumPy's own class of them cost many times as much
    time, *values, filled_in = (np.asarray(np.memmap(folder / name, dtype, "r")) for name, dtype in zip(names, dtypes, strict=True))
    return Candles(last.symbol, last.interval, time, Columns(*values), filled_in)


def split_range(count: int, most: int) -> list[slice]:
    """`0 … count - 1` in slices of at most `most`."""
    bounds = [*range(0, count, most), count]
    return [slice(first, stop) for first, stop in pairwise(bounds)]
