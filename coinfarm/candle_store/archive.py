"""Binance's archive (data.binance.vision): a month or a day of klines in a zip with one CSV file, mostly without a header."""

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
from coinfarm.errors import CandleError, CoinfarmError, Fault, TooLarge

MAX_CSV_BYTES = 64 << 20
"""Of the file in a zip: a month of minutes has 7 MB."""
_NAME = re.compile(
    r"(?P<symbol>[A-Z0-9]+(?:_[A-Z0-9]+)?)-(?P<interval>\d+[a-z])-(?P<year>\d{4})-(?P<month>\d\d)(?:-(?P<day>\d\d))?\.(?:zip|csv)"
)
_COLUMNS = (*CANDLE_COLUMNS, "close_time", "quote_volume", "count", "taker_buy_volume", "taker_buy_quote_volume", "ignore")


@dataclass(frozen=True)
class ArchiveName:
    """What a name such as `BTCUSDT-1m-2024-01.zip` says: the archive has all of `[start_ms, stop_ms)`, milliseconds UTC."""

    symbol: str
    interval: str
    start_ms: int
    stop_ms: int

    @classmethod
    def of(cls, file_name: str) -> "ArchiveName | None":
        """None for a name that is none of the archive's."""
        told = _NAME.fullmatch(file_name)
        if not told:
            return None
        try:
            first = date(int(told["year"]), int(told["month"]), int(told["day"] or 1))
        except ValueError:
            return None
        stop = first + timedelta(1) if told["day"] else (first + timedelta(31)).replace(day=1)
        return cls(told["symbol"], told["interval"], day_start_ms(first), day_start_ms(stop))


def read_zipped_csv(path: Path) -> bytes:
    """The CSV file in a zip, which is read into memory and never written anywhere.

    Raises `CandleError` for what is no zip, is damaged, encrypted, or holds anything else than one CSV file, `TooLarge` for a file
    that unpacks to more than `MAX_CSV_BYTES`, and `CoinfarmError` where a `.CHECKSUM` file lies beside it that it does not fit.
    """
    data = path.read_bytes()
    _check_checksum(path, data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            if len(names) != 1 or not names[0].endswith(".csv"):
                shown = ", ".join(names[:3]) or "nothing"
                raise CandleError(Fault("", f"must hold one CSV file, and holds {shown}{' …' if len(names) > 3 else ''}"))
            # What the header says of the size may be a lie: no more is unpacked than is allowed.
            with archive.open(names[0]) as file:
                text = file.read(MAX_CSV_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise CandleError(Fault("", f"is not a zip that can be read: {error}")) from None
    if len(text) > MAX_CSV_BYTES:
        raise TooLarge(f"unpacks to more than {MAX_CSV_BYTES >> 20} MiB: a month of minutes has 7; unpack it yourself to import it")
    return text


def add_header(text: bytes) -> bytes:
    """A CSV file whose first line names the columns, which Binance mostly leaves out."""
    if not text[:1].isdigit():
        return text
    columns = text.split(b"\n", 1)[0].count(b",") + 1
    return ",".join(_COLUMNS[:columns]).encode() + b"\n" + text


def _check_checksum(path: Path, data: bytes) -> None:
    """Binance lays a `.CHECKSUM` file (sha256 and name) beside each of its zips."""
    beside = path.with_name(path.name + ".CHECKSUM")
    if beside.is_file() and beside.read_text(errors="replace").split()[:1] != [hashlib.sha256(data).hexdigest()]:
        raise CoinfarmError(f"is not the file of {beside.name}: fetch it again")
