"""The first layer of a network that is linear in single candles, as look-ups in tables.

A candle fills one run of rows in each channel. With the prefix sums `T[r] = W[0] + … + W[r - 1]` of a channel's weights, the run from row a
to row b adds `T[b + 1] - T[a]` to the layer's output, and a volume of h rows adds `T[h]`: five table rows instead of 450 products.
"""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from coinfarm.errors import ModelError
from image_render.render import Frames, as_planes
from image_render.rows import RowNumbers, Rows
from image_render.spec import BODY, CHANNEL_COUNT, STANDARD, VOLUME, WICK

Features = NDArray[np.float32]

_ROW_COUNT = len(RowNumbers._fields)
_MAX_BYTES = 2**26
_ARRAYS = {"tables": "<f4", "bias": "<f4", "offsets": "<i4", "stride": "<i4"}


@dataclass(frozen=True, eq=False)
class ColumnTables:
    """The layer from rows `(N, 200, 5)` to features `(N, positions, F)`.

    Position p adds, for each of the K `offsets` `(K,)`, the look-ups of candle `stride * p + offset` in `tables` `(K, 5, 151, F)`, unless
    that candle is outside of the window. The second axis of `tables` is that of the rows. `bias` is `(positions, F)`.
    """

    tables: Features
    bias: Features
    offsets: NDArray[np.int32]
    stride: int

    @classmethod
    def from_weights(
        cls, weights: NDArray[np.float64], bias: NDArray[np.float64], offsets: NDArray[np.int32], stride: int
    ) -> "ColumnTables":
        """From the weights `(K, 3, 150, F)` of each offset, channel and price row."""
        sums = np.zeros((len(offsets), CHANNEL_COUNT, STANDARD.price_rows + 1, weights.shape[-1]))
        np.cumsum(weights, axis=2, out=sums[:, :, 1:])
        after = np.concatenate([sums[:, :, 1:], sums[:, :, -1:]], axis=2)  # T[r + 1]
        tables = [-sums[:, BODY], after[:, BODY], -sums[:, WICK], after[:, WICK], sums[:, VOLUME]]
        return cls(np.stack(tables, axis=1).astype(np.float32), bias.astype(np.float32), offsets.astype(np.int32), stride)

    @property
    def shape(self) -> tuple[int, int]:
        """`(positions, F)`."""
        return self.bias.shape[0], self.bias.shape[1]

    @property
    def additions(self) -> int:
        """The number of table values that are added up per frame."""
        return len(self.offsets) * _ROW_COUNT * int(self.bias.size)

    def look_up(self, rows: Rows) -> Features:
        """The features of frames given as rows."""
        return TableLookup(self)(rows, np.empty((len(rows), *self.shape), np.float32))

    def multiply(self, frames: Frames) -> Features:
        """The features of frames `(N, 200, 150, 3)` with any pixels, equal to those of `look_up` up to rounding."""
        body_low, body_high, wick_low, wick_high, volume = (self.tables[:, number] for number in range(_ROW_COUNT))
        # What a run of one row adds is the weight of its pixel.
        weights = [(body_low + body_high)[:, :-1], (wick_low + wick_high)[:, :-1], np.diff(volume, axis=1)]
        features = np.repeat(self.bias[None], len(frames), axis=0)
        planes = as_planes(frames).astype(np.float32)
        for tap, positions, candles in self.taps():
            for channel in (BODY, WICK, VOLUME):
                features[:, positions] += planes[:, channel, candles] @ weights[channel][tap]
        return features

    def taps(self) -> Iterator[tuple[int, slice, slice]]:
        """The index, the positions and the candles of each offset."""
        candle_count, stride = STANDARD.window_candles, self.stride
        for tap, offset in enumerate(self.offsets.tolist()):
            first = max(0, -(offset // stride))
            stop = min(len(self.bias), (candle_count - 1 - offset) // stride + 1)
            if first < stop:
                start = first * stride + offset
                yield tap, slice(first, stop), slice(start, start + (stop - first - 1) * stride + 1, stride)

    def save(self, path: Path) -> None:
        """As an uncompressed `.npz`."""
        np.savez(path, tables=self.tables, bias=self.bias, offsets=self.offsets, stride=np.int32(self.stride))

    @classmethod
    def load(cls, path: Path) -> "ColumnTables":
        """Raises `ModelError` for a file that is not of `save`, for other geometries and for weights that are not finite."""
        try:
            with zipfile.ZipFile(path) as archive:
                size = sum(member.file_size for member in archive.infolist())
            if size > _MAX_BYTES:
                raise ValueError(f"it has {size:,} bytes, more than {_MAX_BYTES:,}")
            with np.load(path, allow_pickle=False) as arrays:
                read = {name: arrays[name] for name in _ARRAYS}
            if {name: array.dtype.str for name, array in read.items()} != _ARRAYS:
                raise ValueError("the types of its arrays are wrong")
            tables = cls(read["tables"], read["bias"], read["offsets"], int(read["stride"]))
            tables._check()
        except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
            raise ModelError(f"{path.name} has no valid look-up tables: {error}") from error
        return tables

    def _check(self) -> None:
        if self.bias.ndim != 2 or self.offsets.ndim != 1:
            raise ValueError(f"its arrays have the shapes {self.bias.shape} and {self.offsets.shape}")
        count, (positions, features) = STANDARD.window_candles, self.shape
        if self.tables.shape != (len(self.offsets), _ROW_COUNT, STANDARD.price_rows + 1, features):
            raise ValueError(f"its tables have the shape {self.tables.shape}")
        if not (1 <= positions <= count and 1 <= self.stride <= count and (abs(self.offsets.astype(np.int64)) < count).all()):
            raise ValueError(f"{positions} positions, a stride of {self.stride} and offsets {self.offsets} exceed the window of {count}")
        if not (np.isfinite(self.tables).all() and np.isfinite(self.bias).all()):
            raise ValueError("a value is not finite")


class TableLookup:
    """Looks up the features of a few frames at a time, with buffers of its own: not thread-safe."""

    def __init__(self, tables: ColumnTables) -> None:
        self._tables = tables.tables.copy()
        self._bias: Features | None = tables.bias
        self._taps = sorted(tables.taps(), key=lambda each: each[1].start - each[1].stop)  # the one with most positions first
        self._scratch = np.empty(0, np.float32)
        self._covers_all = bool(self._taps) and self._taps[0][1] == slice(0, len(tables.bias))
        if self._covers_all and (tables.bias == tables.bias[0]).all():  # every candle looks up one volume
            self._tables[self._taps[0][0], -1] += tables.bias[0]
            self._bias = None

    def __call__(self, rows: Rows, out: Features) -> Features:
        """Fill and return `out` `(N, positions, F)`, contiguous, for rows `(N, 200, 5)`."""
        if self._scratch.size < out.size:
            self._scratch = np.empty(out.size, np.float32)
        indices = rows.transpose(2, 0, 1).astype(np.intp)
        is_empty = True
        if not self._covers_all:
            out[:] = 0
            is_empty = False
        for tap, positions, candles in self._taps:
            target = out[:, positions]
            part = self._scratch[: target.size].reshape(target.shape)
            for table, index in zip(self._tables[tap], indices[:, :, candles], strict=True):
                # Every index is within the table, so "clip" changes nothing; "raise" would need a buffer and a copy.
                np.take(table, index, axis=0, out=out if is_empty else part, mode="clip")
                if not is_empty:
                    target += part
                is_empty = False
        if self._bias is not None:
            out += self._bias
        return out
