"""Files of Binance's archive (data.binance.vision): a zip with one CSV file of a month or day of klines, usually without a header."""

import hashlib
import io
import re
import zipfile
import zlib
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from coinfarm.candles.arrow_table import CANDLE_COLUMNS
from coinfarm.candles.day import day_start_ms
from coinfarm.errors import CandleError, CoinfarmError, ErrorDetail, TooLarge

MAX_CSV_BYTES = 64 << 20
"""The limit for the CSV file in a zip; a month of one-minute candles is about 7 MiB."""
_NAME = re.compile(
    r"(?P<symbol>[A-Z0-9]+(?:_[A-Z0-9]+)?)-(?P<interval>\d+[a-zA-Z]+)-(?P<year>\d{4})-(?P<month>\d\d)(?:-(?P<day>\d\d))?\.(?:zip|csv)"
)
_COLUMNS = (*CANDLE_COLUMNS, "close_time", "quote_volume", "count", "taker_buy_volume", "taker_buy_quote_volume", "ignore")


@dataclass(frozen=True)
class ArchiveName:
    """The parts of a file name such as `BTCUSDT-1m-2024-01.zip`. The file covers `[start_ms, stop_ms)`, milliseconds UTC."""

    symbol: str
    interval: str
    start_ms: int
    stop_ms: int

    @classmethod
    def parse(cls, file_name: str) -> "ArchiveName | None":
        """None for a name that is not in the archive's format."""
        match = _NAME.fullmatch(file_name)
        if not match:
            return None
        try:
            first = date(int(match["year"]), int(match["month"]), int(match["day"] or 1))
        except ValueError:
            return None
        stop = first + timedelta(1) if match["day"] else (first + timedelta(31)).replace(day=1)
        return cls(match["symbol"], match["interval"], day_start_ms(first), day_start_ms(stop))


def read_zipped_csv(path: Path) -> bytes:
    """The CSV file in a zip. It is unpacked in memory only.

    Raises `CandleError` for a file that is not a zip, is damaged, encrypted, or contains anything but one CSV file, `TooLarge` for one that
    unpacks to more than `MAX_CSV_BYTES`, and `CoinfarmError` if there is a `.CHECKSUM` file next to it that does not match.
    """
    data = path.read_bytes()
    _check_checksum(path, data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            if len(names) != 1 or not names[0].endswith(".csv"):
                shown = ", ".join(names[:3]) or "nothing"
                raise CandleError(ErrorDetail("", f"must contain one CSV file, but contains {shown}{' …' if len(names) > 3 else ''}"))
            # The size in the header may be wrong, so unpack no more than the limit.
            with archive.open(names[0]) as file:
                text = file.read(MAX_CSV_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise CandleError(ErrorDetail("", f"is not a readable zip: {error}")) from None
    if len(text) > MAX_CSV_BYTES:
        raise TooLarge(
            f"unpacks to more than {MAX_CSV_BYTES >> 20} MiB (a month of 1m candles has about 7): unpack it yourself to import it"
        )
    return text


def add_header(text: bytes) -> bytes:
    """The CSV file with a header line, which most of Binance's files lack."""
    if not text[:1].isdigit():
        return text
    columns = text.split(b"\n", 1)[0].count(b",") + 1
    return ",".join(_COLUMNS[:columns]).encode() + b"\n" + text


def _check_checksum(path: Path, data: bytes) -> None:
    """Binance provides a `.CHECKSUM` file (sha256 and name) for each of its zips."""
    checksum = path.with_name(path.name + ".CHECKSUM")
    if checksum.is_file() and checksum.read_text(errors="replace").split()[:1] != [hashlib.sha256(data).hexdigest()]:
        raise CoinfarmError(f"does not match {checksum.name}: download it again")
