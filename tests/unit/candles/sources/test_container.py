import pytest

from coinfarm.candles.sources.container import Format, open_content
from coinfarm.errors import CandleError
from tests.support.compressed_files import gzipped, zipped


def test_a_compressed_file_is_unpacked() -> None:
    content = open_content(gzipped(zipped({"../../evil.csv": b"1,2\n"})))
    assert (content.format, content.data, content.zip_member) == (Format.TEXT, b"1,2\n", "../../evil.csv")


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"", "empty"),
        (b" \n\0", "blanks"),
        (b"%PDF-1.7", "PDF"),
        (b"\x01\x02\x03" * 50, "binary"),
        (b"\n<html>", "web page"),
        (b"PAR1 but no footer", "cut off"),
        (b"SQLite format 3\0", "SQLite"),
    ],
)
def test_rejects_what_is_no_file_of_candles(data: bytes, named: str) -> None:
    with pytest.raises(CandleError, match=named):
        open_content(data)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_text_becomes_utf_8(encoding: str) -> None:
    text = "time;Zeit für,1\n" * 3
    assert open_content(text.encode(encoding)).data == text.encode()
