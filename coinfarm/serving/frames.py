"""Reads pre-rendered frames from an untrusted NumPy archive (`.npz`): no pickles, and no more bytes than declared."""

import io
import zipfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Values
from coinfarm.candles.validation import MAX_VALUE, MIN_PRICE
from coinfarm.errors import ErrorDetail, InvalidInput, MalformedRequest, TooLarge
from image_render.render import Frames
from image_render.spec import STANDARD

_HEADER_BYTES = 4096
_MAX_RANGE_PCT = 100 * MAX_VALUE / MIN_PRICE


def read_frames(data: bytes, max_frames: int) -> tuple[Frames, Values | None]:
    """`frames` `(N, 200, 150, 3)`, uint8 of 0 and 1, and `windowRangePct` `(N,)`, float, or None if it is not included.

    Raises `MalformedRequest` for invalid archives, `InvalidInput` for an invalid member, dtype, shape or value, and `TooLarge` for more
    than `max_frames`, before they are unpacked.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except Exception as error:  # zipfile raises many types of errors for invalid archives
        raise MalformedRequest(ErrorDetail("", "is not an .npz archive: make it with numpy.savez_compressed(file, frames=…)")) from error
    members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    for name in members:
        if name not in ("frames", "windowRangePct"):
            raise InvalidInput(ErrorDetail(f"/{name}", "is unknown; only frames and windowRangePct are allowed"))
    if "frames" not in members:
        raise InvalidInput(ErrorDetail("/frames", "is missing"))

    frames = _read(archive, members["frames"], max_frames, np.prod(STANDARD.shape, dtype=int))
    if frames.dtype != np.uint8 or frames.shape[1:] != STANDARD.shape:
        shape = ", ".join(map(str, STANDARD.shape))
        raise InvalidInput(ErrorDetail("/frames", f"must be uint8 of shape (N, {shape}), not {frames.dtype} of {frames.shape}"))
    if not len(frames):
        raise InvalidInput(ErrorDetail("/frames", "must not be empty"))
    if frames.max() > 1:
        at = int((frames.reshape(len(frames), -1).max(axis=1) > 1).argmax())
        raise InvalidInput(ErrorDetail(f"/frames/{at}", "must contain only 0 and 1"))
    if "windowRangePct" not in members:
        return frames, None

    range_pct = _read(archive, members["windowRangePct"], max_frames, 8)
    if range_pct.shape != (len(frames),) or range_pct.dtype.kind not in "fiu":
        raise InvalidInput(
            ErrorDetail("/windowRangePct", f"must be {len(frames)} numbers, one per frame, not {range_pct.dtype} of {range_pct.shape}")
        )
    invalid = ~((range_pct >= 0) & (range_pct <= _MAX_RANGE_PCT))
    if invalid.any():
        raise InvalidInput(
            ErrorDetail(f"/windowRangePct/{invalid.argmax()}", f"must be a finite number, zero or above, at most {_MAX_RANGE_PCT:g}")
        )
    return frames, range_pct.astype(np.float64)


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, max_rows: int, row_bytes: int) -> NDArray[Any]:
    limit = max_rows * row_bytes + _HEADER_BYTES
    if member.file_size > limit:
        raise TooLarge(f"/{member.filename}: unpacks to {member.file_size} bytes, more than {max_rows} frames: send several requests")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # Only for these does zipfile unpack at most file_size bytes, so a bomb with a false size fails its checksum.
        raise InvalidInput(ErrorDetail(f"/{member.filename}", "has an unsupported compression: use numpy.savez_compressed"))
    try:
        with archive.open(member) as stream:
            array: NDArray[Any] = np.lib.format.read_array(
                io.BytesIO(stream.read(limit)), allow_pickle=False, max_header_size=_HEADER_BYTES
            )
    except Exception as error:  # zipfile and NumPy raise many types of errors for damaged members, and MemoryError for a false shape
        raise InvalidInput(ErrorDetail(f"/{member.filename}", f"is not a plain NumPy array: {error}")) from error
    return array
