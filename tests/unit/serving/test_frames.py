"""Ready-made frames from untrusted archives."""

import io
import tracemalloc
import zipfile
from typing import Any

import numpy as np
import pytest

from coinfarm.errors import CoinfarmError, InvalidInput, MalformedRequest, TooLarge
from coinfarm.serving.frames import read_frames
from image_render.spec import STANDARD

MAX_FRAMES = 10
FRAMES = np.random.default_rng(1).integers(0, 2, (2, *STANDARD.shape), np.uint8)
RANGES = np.array([0.5, 1.25])


def npz(**arrays: Any) -> bytes:
    sink = io.BytesIO()
    np.savez_compressed(sink, **arrays)
    return sink.getvalue()


def npy(array: Any, **options: Any) -> bytes:
    sink = io.BytesIO()
    np.lib.format.write_array(sink, np.asarray(array), **options)
    return sink.getvalue()


def archive(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", compression) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return sink.getvalue()


def test_reads_frames_and_ranges() -> None:
    frames, range_pct = read_frames(npz(frames=FRAMES, windowRangePct=RANGES), MAX_FRAMES)
    np.testing.assert_array_equal(frames, FRAMES)
    assert range_pct is not None
    assert range_pct.tolist() == RANGES.tolist()


def test_ranges_are_optional() -> None:
    frames, range_pct = read_frames(npz(frames=FRAMES), MAX_FRAMES)
    np.testing.assert_array_equal(frames, FRAMES)
    assert range_pct is None


def test_converts_ranges_to_float64() -> None:
    range_pct = read_frames(npz(frames=FRAMES, windowRangePct=np.array([1, 2], np.uint8)), MAX_FRAMES)[1]
    assert range_pct is not None
    assert (range_pct.dtype, range_pct.tolist()) == (np.float64, [1, 2])


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(npy(FRAMES), id="a bare array"),
        pytest.param(npz(frames=FRAMES)[:-30], id="cut short"),
        pytest.param(archive({"frames.npy": b""}).replace(b"PK\x01\x02", b"PK\x09\x09"), id="broken directory"),
    ],
)
def test_rejects_invalid_archives(data: bytes) -> None:
    with pytest.raises(MalformedRequest):
        read_frames(data, MAX_FRAMES)


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        pytest.param(FRAMES.astype(np.float32), r"/frames: .* float32 of \(2, 200, 150, 3\)", id="floats"),
        pytest.param(FRAMES[0], r"/frames: .* \(200, 150, 3\)", id="one frame without a batch"),
        pytest.param(np.uint8(1), r"/frames: .* \(\)", id="a number"),
        pytest.param(FRAMES[:0], "/frames: ", id="none"),
        pytest.param(FRAMES * np.array([1, 255], np.uint8)[:, None, None, None], "/frames/1: ", id="0 and 255"),
    ],
)
def test_rejects_other_frames(frames: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        read_frames(npz(frames=frames), MAX_FRAMES)


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        pytest.param([1.0], r"/windowRangePct: .* 2 numbers.* \(1,\)", id="too few"),
        pytest.param(["1", "2"], "/windowRangePct: .* <U1", id="strings"),
        pytest.param([1.0, -0.1], "/windowRangePct/1: ", id="negative"),
        pytest.param([float("nan"), 1.0], "/windowRangePct/0: ", id="NaN"),
    ],
)
def test_rejects_invalid_ranges(ranges: list[Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        read_frames(npz(frames=FRAMES, windowRangePct=np.array(ranges)), MAX_FRAMES)


def test_rejects_too_many_frames_before_unpacking() -> None:
    many = npz(frames=np.zeros((200, *STANDARD.shape), np.uint8))
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge, match="18000128 bytes, more than 10 frames"):
            read_frames(many, MAX_FRAMES)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


class FailsWhenUnpickled:
    """Fails the test when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("a pickle was loaded",)


@pytest.mark.parametrize("name", ["frames", "windowRangePct"])
def test_loads_no_pickled_objects(name: str) -> None:
    pickled = np.array([FailsWhenUnpickled()], object)
    members = {"frames": FRAMES} | {name: pickled}
    with pytest.raises(InvalidInput, match=rf"/{name}\.npy: "):
        read_frames(npz(**members), MAX_FRAMES)


@pytest.mark.parametrize(("members", "pointer"), [({"windowRangePct": RANGES}, "/frames"), ({"frames": FRAMES, "labels": [1]}, "/labels")])
def test_rejects_missing_and_unknown_members(members: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidInput, match=pointer):
        read_frames(npz(**members), MAX_FRAMES)


def test_loads_no_bare_pickle() -> None:
    with pytest.raises(InvalidInput, match=r"/frames\.npy: "):
        read_frames(archive({"frames.npy": b"\x80\x04\x8c\x06pickle\x94."}), MAX_FRAMES)


HUGE = 20_000_000


def with_false_size(data: bytes, file_size: int) -> bytes:
    """An archive whose only member has a false size in both of its headers."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        (member,) = file.infolist()
    return data.replace(member.file_size.to_bytes(4, "little"), file_size.to_bytes(4, "little"))


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=["deflate", "bzip2", "lzma"])
def test_rejects_a_decompression_bomb_with_a_false_size(compression: int) -> None:
    bomb = with_false_size(archive({"frames.npy": npy(np.zeros(HUGE, np.uint8))}, compression), file_size=1_000)
    assert len(bomb) < HUGE / 100
    tracemalloc.start()
    try:
        with pytest.raises(InvalidInput, match=r"/frames\.npy: "):
            read_frames(bomb, MAX_FRAMES)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def header_of(shape: str, descr: str = "'|u1'") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize(
    "member",
    [
        pytest.param(header_of("(10, 200, 150, 3)") + b"\0" * 90_000, id="more frames than bytes"),
        pytest.param(header_of("(10**12,)"), id="an expression as shape"),
        pytest.param(header_of("(1000000000000, 200, 150, 3)"), id="a shape beyond memory"),
        pytest.param(header_of(f"({10**30},)"), id="a shape beyond 64 bits"),
        pytest.param(header_of("(1,)", descr="'|O'"), id="objects"),
        pytest.param(header_of("(1,"), id="a broken header"),
        pytest.param(b"\x93NUMPY\x01\x00\xff\xff", id="a header cut short"),
        pytest.param(b"\x93NUMPY\x09\x00" + b"\0" * 100, id="an unknown format version"),
        pytest.param(npy(np.zeros(1, [(f"field{number}", "u1") for number in range(200)])), id="a long header"),
    ],
)
def test_rejects_arrays_with_false_headers(member: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"/frames\.npy: "):
        read_frames(archive({"frames.npy": member}), MAX_FRAMES)


def test_rejects_encrypted_members() -> None:
    data = bytearray(archive({"frames.npy": npy(FRAMES)}))
    data[6] |= 1  # the flag in the member's own header
    data[data.index(b"PK\x01\x02") + 8] |= 1  # and in the directory
    with pytest.raises(InvalidInput, match="encrypted"):
        read_frames(bytes(data), MAX_FRAMES)


@pytest.mark.filterwarnings("ignore:Reading `.npy`:UserWarning")
def test_damaged_archives_are_valid_frames_or_errors() -> None:
    random = np.random.default_rng(1)
    sink = io.BytesIO()
    np.savez(sink, frames=FRAMES[:1], windowRangePct=RANGES[:1])
    data = sink.getvalue()
    where = np.concatenate([np.arange(200), np.arange(len(data) - 600, len(data))])
    for _ in range(300):
        damaged = bytearray(data)
        for at in random.choice(where, size=3):
            damaged[at] = random.integers(256)
        try:
            frames, _ = read_frames(bytes(damaged), MAX_FRAMES)
        except CoinfarmError:
            continue
        assert frames.shape[1:] == STANDARD.shape
