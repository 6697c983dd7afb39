"""Names of the files in Binance's archive (data.binance.vision): a zip with one CSV file of a month or day of klines."""

import hashlib
import re
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import IO

from coinfarm.candles.day import day_start_ms
from coinfarm.candles.sources.compression import blocks_of
from coinfarm.candles.symbol import canonical_symbol
from coinfarm.errors import CoinfarmError

_NAME = re.compile(
    r"(?P<symbol>[A-Z0-9]+(?:_[A-Z0-9]+)?)-(?P<interval>\d+[a-zA-Z]+)-(?P<year>\d{4})-(?P<month>\d\d)(?:-(?P<day>\d\d))?\.(?:zip|csv)"
)


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
        return cls(canonical_symbol(match["symbol"]), match["interval"], day_start_ms(first), day_start_ms(stop))


def check_checksum(path: Path, file: IO[bytes]) -> None:
    """Raise `CoinfarmError` if there is a `.CHECKSUM` file (sha256 and name) next to a file, as Binance has, and it does not match.

    `file` is the open file at `path`, at its start, as it is afterwards.
    """
    checksum = path.with_name(path.name + ".CHECKSUM")
    if checksum.is_file():
        digest = hashlib.sha256()
        for block in blocks_of(file.read):
            digest.update(block)
        if checksum.read_text(errors="replace").split()[:1] != [digest.hexdigest()]:
            raise CoinfarmError(f"does not match {checksum.name}: download it again")
        file.seek(0)
