"""Import of candle files into the store: Parquet, CSV, klines JSON, and files of Binance's archive."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coinfarm.candle_store.archive import ArchiveName, add_header, read_zipped_csv
from coinfarm.candle_store.store import CandleStore, WriteOutcome
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import by_day
from coinfarm.candles.files import MissingSeriesName, parse_candles
from coinfarm.errors import CandleError, CoinfarmError, Conflict, system_error_text


@dataclass
class ImportResult:
    """The outcome for one file: its series, its number of candles, the number of days by write outcome, and errors."""

    file: str
    symbol: str = ""
    interval: str = ""
    candles: int = 0
    days: Counter[WriteOutcome] = field(default_factory=Counter)
    rejected: list[str] = field(default_factory=list)
    lacks_series_name: bool = False
    """Whether it was rejected because symbol and interval are unknown."""

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "file": self.file,
            "symbol": self.symbol,
            "interval": self.interval,
            "candles": self.candles,
            "days": {str(written): self.days[written] for written in WriteOutcome},
            "refused": self.rejected,
        }


def import_file(
    store: CandleStore,
    path: Path,
    *,
    symbol: str | None = None,
    interval: str | None = None,
    replace: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> ImportResult:
    """Store a file's candles by day; symbol and interval are read from its name unless they are given.

    A file covers the time from its first candle to its last (one of Binance's archive: all of its month or day), so its first and last day
    may be incomplete, until another file covers the rest. Days that differ from the stored ones are rejected, unless `replace`. An
    unreadable file is rejected completely. `progress` is called with the number of days done and in total.

    Raises `StorageError` if the store fails, and `InvalidInput` for an invalid symbol.
    """
    outcome = ImportResult(str(path))
    try:
        candles, start_ms, stop_ms = _read(path, symbol, interval)
    except CoinfarmError as error:
        outcome.rejected.append(f"{path}: {str(error).removeprefix(f'{path.name}: ')}")
        outcome.lacks_series_name = isinstance(error, MissingSeriesName)
        return outcome
    except OSError as error:
        error.filename = str(path)
        outcome.rejected.append(system_error_text(error))
        return outcome
    outcome.symbol, outcome.interval, outcome.candles = candles.symbol, candles.interval, len(candles)
    days = list(by_day(candles))
    for done, day in enumerate(days, 1):
        try:
            outcome.days[store.write_day(day, known_from_ms=start_ms, known_to_ms=stop_ms, replace=replace)] += 1
        except (CandleError, Conflict) as error:
            outcome.rejected.append(f"{path}: {error}")
        progress(done, len(days))
    return outcome


def _read(path: Path, symbol: str | None, interval: str | None) -> tuple[Candles, int, int]:
    """The candles, and the time `[start_ms, stop_ms)` that the file covers."""
    archive = ArchiveName.parse(path.name)
    name = path.name
    if archive:
        symbol, interval = symbol or archive.symbol, interval or archive.interval
    if path.suffix == ".zip":
        data, name = add_header(read_zipped_csv(path)), f"{path.stem}.csv"
    else:
        data = path.read_bytes()
        data = add_header(data) if path.suffix == ".csv" else data
    candles = parse_candles(data, name, symbol=symbol, interval=interval)
    start_ms, stop_ms = int(candles.open_time[0]), int(candles.open_time[-1]) + candles.interval_ms
    if archive:
        start_ms, stop_ms = min(start_ms, archive.start_ms), max(stop_ms, archive.stop_ms)
    return candles, start_ms, stop_ms
