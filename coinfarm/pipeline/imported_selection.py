"""Imports candle files into a candle store of their own, and makes candles of longer intervals from them."""

import hashlib
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from coinfarm.candle_store.importing import import_file
from coinfarm.candle_store.resample_store import resample_store
from coinfarm.candle_store.series_folders import SeriesName
from coinfarm.candle_store.store import CandleStore
from coinfarm.candles.day import check_period, day_of
from coinfarm.candles.interval import canonical_intervals, interval_ms
from coinfarm.errors import CoinfarmError
from coinfarm.pipeline.candle_selection import CandleSelection, OnDays, candles_root
from coinfarm.storage import open_storage

if TYPE_CHECKING:
    from coinfarm.models.training_data import TrainingData


def import_candle_files(
    output: Path,
    files: Sequence[Path],
    intervals: Sequence[str],
    training: "TrainingData | None",
    first_day: date | None,
    stop_day: date | None,
    on_days: OnDays = lambda *_: None,
) -> list[CandleSelection]:
    """Import the files into a candle store, and select the intervals, from the shortest to the longest; by default those of the files.

    Candles of an interval that a coin has no file of are made of its longest shorter ones; a coin that has none is not in that interval.
    By default only the days after the model's training data are selected, which must not be tested on. Each set of files has a folder of
    its own, named by its content. Raises `CoinfarmError` for a rejected candle, for an interval that no file is short enough for, and if
    no day is left.
    """
    folder = output / f"files-{_digest(files)}"
    store = CandleStore(open_storage(candles_root(folder)))
    series = set()
    for file in files:
        outcome = import_file(store, file, progress=on_days)
        if outcome.rejected:
            raise CoinfarmError(outcome.rejected[0])
        series.add(SeriesName.canonical(outcome.symbol, outcome.interval))
    selections = []
    for interval in canonical_intervals(intervals or [each.interval for each in series]):
        symbols = _coins_of(store, series, interval, on_days)
        first, stop = _days_of(store, symbols, interval, training, first_day, stop_day)
        selections.append(CandleSelection(folder, symbols, interval, first, stop, synthetic=False))
    return selections


def _coins_of(store: CandleStore, series: set[SeriesName], interval: str, on_days: OnDays) -> tuple[str, ...]:
    """The symbols that have candles of the interval, which are made if there are only shorter ones."""
    symbols = {each.symbol for each in series if each.interval == interval}
    for symbol in {each.symbol for each in series} - symbols:
        shorter = [each.interval for each in series if each.symbol == symbol and _makes(each.interval, interval)]
        if shorter:
            (made,) = resample_store(store, [symbol], max(shorter, key=interval_ms), [interval], progress=on_days)
            if made.rejected:
                raise CoinfarmError(made.rejected[0][1])
            if made.candles:
                symbols.add(symbol)
    if not symbols:
        given = ", ".join(canonical_intervals(each.interval for each in series))
        raise CoinfarmError(
            f"the files have {given} candles, of which no {interval} candle can be made: use another interval or shorter candles"
        )
    return tuple(sorted(symbols))


def _makes(interval: str, longer: str) -> bool:
    step_ms, longer_ms = interval_ms(interval), interval_ms(longer)
    return step_ms < longer_ms and longer_ms % step_ms == 0


def _days_of(
    store: CandleStore,
    symbols: Sequence[str],
    interval: str,
    training: "TrainingData | None",
    first_day: date | None,
    stop_day: date | None,
) -> tuple[date, date]:
    days = sorted({day for symbol in symbols for day in store.days(symbol, interval)})
    cutoff_day = None if training is None else min(day_of(training.cutoff_of(symbol)) for symbol in symbols)
    if first_day is None:
        first_day = days[0] if cutoff_day is None else max(cutoff_day, days[0])
    stop_day = days[-1] + timedelta(1) if stop_day is None else stop_day
    if cutoff_day is not None and days[-1] < cutoff_day:
        raise CoinfarmError(
            f"the {interval} candles end on {days[-1]}, but the model was trained on candles before {cutoff_day}, so none are left to test "
            "it on: use later candles, or another model with --model"
        )
    check_period(first_day, stop_day)
    if not any(first_day <= day < stop_day for day in days):
        raise CoinfarmError(f"there are {interval} candles from {days[0]} to {days[-1]}, but none from {first_day} up to {stop_day}")
    return first_day, stop_day


def _digest(files: Sequence[Path]) -> str:
    """Depends on the files' names and content, not on their folder."""
    lines = sorted(f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:8]
