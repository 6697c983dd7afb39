"""Generates or imports the candles of a pipeline run, into a candle store of its own."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from coinfarm.candle_store.importing import import_file
from coinfarm.candle_store.series_folders import SeriesName
from coinfarm.candle_store.store import CandleStore
from coinfarm.candles.day import DAY_MS, by_day, check_period, day_of, day_start_ms
from coinfarm.candles.synthetic import generate
from coinfarm.errors import CoinfarmError
from coinfarm.storage import open_storage

if TYPE_CHECKING:
    from coinfarm.models.training_data import TrainingData

SYNTHETIC_SYMBOLS = ("DEMOBTC", "DEMOETH", "DEMOLTC")
SYNTHETIC_DAYS = 40
"""With three coins 172,800 windows: most of a minute on two cores, and enough to choose thresholds on one half and test on the other."""
_SYNTHETIC_FROM = date(2026, 1, 1)
_SEED = 1

OnDays = Callable[[int, int], None]
"""Called with the number of days stored so far, and of all days (of one file, if there are files)."""


@dataclass(frozen=True)
class CandleSelection:
    """Coins in the candle store under `folder`, and the days `[first_day, stop_day)` on which their windows end.

    Everything that is computed from these candles is stored in `folder` too; other candles have another folder.
    """

    folder: Path
    symbols: tuple[str, ...]
    interval: str
    first_day: date
    stop_day: date
    synthetic: bool

    @property
    def candles_root(self) -> str:
        return _candles_root(self.folder)


def store_synthetic_candles(
    output: Path, training: "TrainingData | None", first_day: date | None, stop_day: date | None, on_days: OnDays = lambda *_: None
) -> CandleSelection:
    """Generate and store candles of three synthetic coins; by default `SYNTHETIC_DAYS` days after the model's training data.

    Raises `CoinfarmError` for dates that leave no day.
    """
    if first_day is None:
        cutoff_days = [] if training is None else [_day_after(training.cutoff_of(symbol)) for symbol in SYNTHETIC_SYMBOLS]
        first_day = max(_SYNTHETIC_FROM, *cutoff_days)
    stop_day = first_day + timedelta(SYNTHETIC_DAYS) if stop_day is None else stop_day
    check_period(first_day, stop_day)
    selection = CandleSelection(output / f"synthetic-{first_day}-{stop_day}", SYNTHETIC_SYMBOLS, "1m", first_day, stop_day, synthetic=True)
    store = CandleStore(open_storage(selection.candles_root))
    days = (stop_day - first_day).days
    for number, symbol in enumerate(SYNTHETIC_SYMBOLS):
        candles = generate(symbol, selection.interval, day_start_ms(first_day), days * DAY_MS // 60_000, _SEED)
        for done, day in enumerate(by_day(candles), 1):
            store.write_day(day)
            on_days(number * days + done, len(SYNTHETIC_SYMBOLS) * days)
    return selection


def import_candle_files(
    output: Path,
    files: Sequence[Path],
    training: "TrainingData | None",
    first_day: date | None,
    stop_day: date | None,
    on_days: OnDays = lambda *_: None,
) -> CandleSelection:
    """Import the files into a candle store; by default the days after the model's training data, which must not be tested on.

    Each set of files has a folder of its own, named by its content. Raises `CoinfarmError` for a rejected candle, for files of several
    intervals, and if no day is left.
    """
    folder = output / f"files-{_digest(files)}"
    store = CandleStore(open_storage(_candles_root(folder)))
    series = set()
    for file in files:
        outcome = import_file(store, file, progress=on_days)
        if outcome.rejected:
            raise CoinfarmError(outcome.rejected[0])
        series.add(SeriesName.canonical(outcome.symbol, outcome.interval))
    symbols, interval = tuple(sorted(each.symbol for each in series)), _interval_of(series)
    days = sorted({day for symbol in symbols for day in store.days(symbol, interval)})
    cutoff_day = None if training is None else min(day_of(training.cutoff_of(symbol)) for symbol in symbols)
    if first_day is None:
        first_day = days[0] if cutoff_day is None else max(cutoff_day, days[0])
    stop_day = days[-1] + timedelta(1) if stop_day is None else stop_day
    if cutoff_day is not None and days[-1] < cutoff_day:
        raise CoinfarmError(
            f"the candles end on {days[-1]}, but the model was trained on candles before {cutoff_day}, so none are left to test it on: "
            "use later candles, or another model with --model"
        )
    check_period(first_day, stop_day)
    if not any(first_day <= day < stop_day for day in days):
        raise CoinfarmError(f"there are candles from {days[0]} to {days[-1]}, but none from {first_day} up to {stop_day}")
    return CandleSelection(folder, symbols, interval, first_day, stop_day, synthetic=False)


def _candles_root(folder: Path) -> str:
    return str(folder / "history")


def _digest(files: Sequence[Path]) -> str:
    """Depends on the files' names and content, not on their folder."""
    lines = sorted(f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:8]


def _interval_of(series: set[SeriesName]) -> str:
    intervals = sorted({each.interval for each in series})
    if len(intervals) > 1:
        raise CoinfarmError(f"the files have several intervals ({', '.join(intervals)}): pass files of one interval")
    return intervals[0]


def _day_after(cutoff_ms: int) -> date:
    """The first complete day after the cutoff."""
    return day_of(cutoff_ms + DAY_MS - 1)
