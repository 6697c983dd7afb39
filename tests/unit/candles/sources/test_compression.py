"""Compressed files are unpacked up to a limit, or refused."""

import io
import lzma
import struct
import zipfile
from collections.abc import Callable, Iterator

import pytest

from coinfarm.candles.sources import compression
from coinfarm.candles.sources.compression import unpack
from coinfarm.errors import CandleError, TooLarge
from tests.support.compressed_files import COMPRESSIONS, STREAMS, gzipped, zip_of_one, zipped

MAX_BYTES = 1 << 20
LINES = b"".join(b"%d,%d\n" % (number, number**2 % 997) for number in range(130_000))
"""More than a block."""


def in_memory(blocks: Iterator[bytes]) -> io.BytesIO:
    file = io.BytesIO()
    file.writelines(blocks)
    return file


def unpacked(data: bytes, max_bytes: int = MAX_BYTES) -> tuple[bytes, str | None]:
    file, member = unpack(io.BytesIO(data), in_memory, max_bytes)
    assert file.tell() == 0
    return file.read(), member


def bomb_with_wrong_size() -> bytes:
    """A zip whose headers give an unpacked size of ten bytes."""
    return zip_of_one(bytes(MAX_BYTES + 1)).replace(struct.pack("<I", MAX_BYTES + 1), struct.pack("<I", 10))


def damaged() -> bytes:
    data = zip_of_one(b"0123456789" * 1000)
    return data[:50] + bytes([data[50] ^ 0xFF]) + data[51:]


def encrypted() -> bytes:
    """A zip whose flags say that it is encrypted."""
    data = zip_of_one(b"0123456789" * 1000)
    flags = (6, data.index(b"PK\x01\x02") + 8)
    return bytes(byte | (at in flags) for at, byte in enumerate(data))


def damaged_lzma_zip() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_LZMA) as file:
        file.writestr("a.csv", b"0123456789" * 1000)
    data = sink.getvalue()
    return data[:44] + b"\xff" * 8 + data[52:]


@pytest.mark.parametrize(
    ("data", "error", "named"),
    [
        pytest.param(zip_of_one(bytes(MAX_BYTES + 1)), TooLarge, "1 MiB", id="bomb"),
        pytest.param(bomb_with_wrong_size(), CandleError, "Bad CRC", id="bomb with a wrong size in its header"),
        pytest.param(damaged(), CandleError, "zip", id="damaged"),
        pytest.param(damaged_lzma_zip(), CandleError, "zip", id="damaged, of a rare method"),
        pytest.param(encrypted(), CandleError, "encrypted", id="encrypted"),
        pytest.param(zip_of_one(LINES)[:-30], CandleError, "zip", id="truncated"),
        pytest.param(zipped({}), CandleError, "nothing", id="empty"),
        pytest.param(zipped({"a.csv": b"", "b.csv": b""}), CandleError, "a.csv, b.csv", id="two files"),
        pytest.param(
            zipped({"\x1b[1m.csv": b"", "b.csv": b""}), CandleError, r"contains \[1m.csv, b.csv", id="a name with control characters"
        ),
        pytest.param(zipped({"[Content_Types].xml": b"", "b.xml": b""}), CandleError, "Excel", id="workbook"),
        pytest.param(gzipped(gzipped(gzipped(b"1"))), CandleError, "several times", id="compressed three times"),
    ],
)
def test_rejects_an_invalid_file(data: bytes, error: type[Exception], named: str) -> None:
    with pytest.raises(error, match=named):
        unpacked(data)


@pytest.mark.parametrize("compress", COMPRESSIONS.values(), ids=COMPRESSIONS)
def test_unpacks_up_to_a_limit(compress: Callable[[bytes], bytes]) -> None:
    data = compress(LINES)
    assert unpacked(data, len(LINES))[0] == LINES
    with pytest.raises(TooLarge):
        unpacked(data, len(LINES) - 1)
    with pytest.raises(TooLarge):
        unpacked(compress(bytes(MAX_BYTES + 1)))


@pytest.mark.parametrize("compress", STREAMS.values(), ids=STREAMS)
def test_streams_follow_each_other_and_end(compress: Callable[[bytes], bytes]) -> None:
    """As pbzip2 and `cat a.gz b.gz` write them."""
    first, second = compress(LINES[:1000]), compress(LINES[1000:])
    assert unpacked(first + second, len(LINES))[0] == LINES
    for wrong in (first[:-9], first + second[:-9], first + b"no stream of this kind"):
        with pytest.raises(CandleError):
            unpacked(wrong, len(LINES))


@pytest.mark.parametrize("compress", [gzipped, STREAMS["bzip2"], STREAMS["xz"]])
def test_zeros_after_a_stream_are_padding(compress: Callable[[bytes], bytes]) -> None:
    assert unpacked(compress(b"1\n") + bytes(512))[0] == b"1\n"
    assert unpacked(compress(b"1\n") + bytes(512) + compress(b"2\n"))[0] == b"1\n2\n"


def test_layers_and_the_clutter_of_a_mac() -> None:
    assert unpacked(b"1,2\n") == (b"1,2\n", None)
    assert unpacked(zipped({"__MACOSX/._a": b"x", "b/": b"", "b/a.csv.gz": gzipped(b"1\n"), "a.zip.CHECKSUM": b""})) == (
        b"1\n",
        "b/a.csv.gz",
    )
    assert unpacked(gzipped(zipped({"a.csv": b"1\n"}))) == (b"1\n", "a.csv")


def test_xz_may_not_ask_for_any_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    data = lzma.compress(LINES, preset=6)
    monkeypatch.setattr(compression, "_XZ_MEMORY", 1 << 20)
    with pytest.raises(CandleError, match="xz"):
        unpacked(data, len(LINES))


@pytest.mark.parametrize("compress", COMPRESSIONS.values(), ids=COMPRESSIONS)
def test_the_compressed_file_stays_open(compress: Callable[[bytes], bytes]) -> None:
    file = io.BytesIO(compress(LINES))
    unpack(file, in_memory)
    assert not file.closed
