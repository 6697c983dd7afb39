"""Ready-made frames from untrusted archives."""

import io
import zipfile
from contextlib import suppress

import numpy as np
import pytest

from coinfarm.errors import CoinfarmError, InvalidInput, MalformedRequest, TooLarge
from coinfarm.serving.frames import read_frames
from image_render.spec import STANDARD
from tests.support.damaged_copies import damaged_copies
from tests.support.demo_requests import npz
from tests.support.traced_memory import peak_below

MAX_FRAMES = 10
FRAMES = np.random.default_rng(1).integers(0, 2, (2, *STANDARD.shape), np.uint8)
RANGES = np.array([0.5, 1.25])


def npy(array, **options):
    sink = io.BytesIO()
    np.lib.format.write_array(sink, np.asarray(array), **options)
    return sink.getvalue()


def archive(members, compression=zipfile.ZIP_DEFLATED):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", compression) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return sink.getvalue()


def test_reads_frames_and_ranges_in_any_order_and_number_type():
    for frames, ranges in ((FRAMES, RANGES), (np.asfortranarray(FRAMES), RANGES.astype(">f4")), (FRAMES, np.array([1, 2], np.uint8))):
        found, range_pct = read_frames(npz(frames=frames, windowRangePct=ranges), MAX_FRAMES)
        np.testing.assert_array_equal(found, FRAMES)
        assert range_pct is not None
        assert (range_pct.dtype, range_pct.tolist()) == (np.float64, ranges.tolist())


def test_ranges_are_optional():
    frames, range_pct = read_frames(npz(frames=FRAMES), MAX_FRAMES)
    np.testing.assert_array_equal(frames, FRAMES)
    assert range_pct is None


@pytest.mark.parametrize(
    "data",
    [b"", npy(FRAMES), npz(frames=FRAMES)[:-30], archive({"frames.npy": b""}).replace(b"PK\x01\x02", b"PK\x09\x09")],
    ids=["empty", "a bare array", "cut short", "broken directory"],
)
def test_rejects_invalid_archives(data):
    with pytest.raises(MalformedRequest):
        read_frames(data, MAX_FRAMES)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        pytest.param({"frames": FRAMES.astype(np.float32)}, r"/frames: .* float32 of \(2, 200, 150, 3\)", id="floats"),
        pytest.param({"frames": FRAMES[0]}, r"/frames: .* \(200, 150, 3\)", id="one frame without a batch"),
        pytest.param({"frames": np.uint8(1)}, r"/frames: .* \(\)", id="a number"),
        pytest.param({"frames": FRAMES[:0]}, "/frames: ", id="none"),
        pytest.param({"frames": np.stack([FRAMES[0], FRAMES[1] * np.uint8(255)])}, "/frames/1: ", id="0 and 255"),
        pytest.param({"windowRangePct": RANGES}, "/frames: ", id="no frames"),
        pytest.param({"frames": FRAMES, "labels": [1]}, "/labels: ", id="an unknown member"),
        pytest.param({"frames": FRAMES, "windowRangePct": [1.0]}, r"/windowRangePct: .* 2 numbers.* \(1,\)", id="too few ranges"),
        pytest.param({"frames": FRAMES, "windowRangePct": ["1", "2"]}, "/windowRangePct: .* <U1", id="strings"),
        pytest.param({"frames": FRAMES, "windowRangePct": [1.0, -0.1]}, "/windowRangePct/1: ", id="a negative range"),
        pytest.param({"frames": FRAMES, "windowRangePct": [np.nan, 1.0]}, "/windowRangePct/0: ", id="NaN"),
        pytest.param({"frames": FRAMES, "windowRangePct": [1e300, 1.0]}, "/windowRangePct/0: ", id="a range too large for prices"),
    ],
)
def test_rejects_invalid_members(members, message):
    with pytest.raises(InvalidInput, match=message):
        read_frames(npz(**members), MAX_FRAMES)


def test_rejects_too_many_frames_before_unpacking():
    many = npz(frames=np.zeros((200, *STANDARD.shape), np.uint8))
    with peak_below(1_000_000), pytest.raises(TooLarge, match="18000128 bytes, more than 10 frames"):
        read_frames(many, MAX_FRAMES)


class FailsWhenUnpickled:
    """Fails the test when it is unpickled."""

    def __reduce__(self):
        return pytest.fail, ("a pickle was loaded",)


@pytest.mark.parametrize("name", ["frames", "windowRangePct"])
def test_loads_no_pickled_objects(name):
    members = {"frames": FRAMES, name: np.array([FailsWhenUnpickled()], object)}
    with pytest.raises(InvalidInput, match=rf"/{name}\.npy: "):
        read_frames(npz(**members), MAX_FRAMES)


HUGE = 20_000_000


def with_false_size(data, file_size):
    """An archive whose only member has a false size in both of its headers."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        (member,) = file.infolist()
    return data.replace(member.file_size.to_bytes(4, "little"), file_size.to_bytes(4, "little"))


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=["deflate", "bzip2", "lzma"])
def test_rejects_a_decompression_bomb_with_a_false_size(compression):
    bomb = with_false_size(archive({"frames.npy": npy(np.zeros(HUGE, np.uint8))}, compression), file_size=1_000)
    assert len(bomb) < HUGE / 100
    with peak_below(2_000_000), pytest.raises(InvalidInput, match=r"/frames\.npy: "):
        read_frames(bomb, MAX_FRAMES)


def header_of(shape, descr="'|u1'"):
    return text_header(f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".ljust(117))


def text_header(text):
    """An array with this text as its header."""
    return b"\x93NUMPY\x02\x00" + len(text + "\n").to_bytes(4, "little") + text.encode() + b"\n"


@pytest.mark.parametrize(
    "member",
    [
        pytest.param(header_of("(10, 200, 150, 3)") + b"\0" * 90_000, id="more frames than bytes"),
        pytest.param(header_of("(10**12,)"), id="an expression as shape"),
        pytest.param(header_of("(1000000000000, 200, 150, 3)"), id="a shape beyond memory"),
        pytest.param(header_of(f"({10**30},)"), id="a shape beyond 64 bits"),
        pytest.param(header_of("(1,)", descr="'|O'"), id="objects"),
        pytest.param(header_of("(10000000000, 200, 150, 3)", descr="'|V0'"), id="empty items"),
        pytest.param(text_header("(" * 3000), id="nested tuples"),
        pytest.param(text_header("{" + " " * 800_000 + "}"), id="a header of 800 KB"),
        pytest.param(header_of("(1,"), id="a broken header"),
        pytest.param(b"\x93NUMPY\x01\x00\xff\xff", id="a header cut short"),
        pytest.param(b"\x93NUMPY\x09\x00" + b"\0" * 100, id="an unknown format version"),
        pytest.param(b"\x80\x04\x8c\x06pickle\x94.", id="a bare pickle"),
        pytest.param(npy(np.zeros(1, [(f"field{number}", "u1") for number in range(200)])), id="a long header"),
    ],
)
def test_rejects_arrays_with_false_headers(member):
    with pytest.raises(InvalidInput, match=r"/frames(\.npy)?: "):
        read_frames(archive({"frames.npy": member}), MAX_FRAMES)


@pytest.mark.parametrize(
    "members",
    [{"frames.npz": archive({})}, {"../../frames.npy": npy(FRAMES), "frames.npy": npy(FRAMES)}, {f"{at}": b"" for at in range(10_000)}],
    ids=["an archive in an archive", "a name outside", "ten thousand files"],
)
def test_rejects_archives_of_other_files(members):
    with pytest.raises(InvalidInput):
        read_frames(archive(members), MAX_FRAMES)


def test_rejects_encrypted_members():
    data = bytearray(archive({"frames.npy": npy(FRAMES)}))
    data[6] |= 1  # the flag in the member's own header
    data[data.index(b"PK\x01\x02") + 8] |= 1  # and in the directory
    with pytest.raises(InvalidInput, match="encrypted"):
        read_frames(bytes(data), MAX_FRAMES)


@pytest.mark.filterwarnings("ignore:Reading `.npy`:UserWarning")
def test_damaged_archives_are_valid_frames_or_errors():
    sink = io.BytesIO()
    np.savez(sink, frames=FRAMES[:1], windowRangePct=RANGES[:1])
    data = sink.getvalue()
    for damaged in damaged_copies(data, [*range(200), *range(len(data) - 600, len(data))]):
        with suppress(CoinfarmError):
            assert read_frames(damaged, MAX_FRAMES)[0].shape[1:] == STANDARD.shape
