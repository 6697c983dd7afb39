"""Generates synthetic candles, with or without a planted edge, and stores them in a candle store of their own."""

from collections.abc import Sequence
from datetime import date, timedelta
from math import ceil, sqrt
from pathlib import Path
from typing import TYPE_CHECKING

from coinfarm.candle_store.store import CandleStore
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import DAY_MS, by_day, check_period, day_of, day_start_ms
from coinfarm.candles.interval import canonical_intervals, interval_ms
from coinfarm.candles.synthetic import generate
from coinfarm.pipeline.candle_selection import CandleSelection, OnDays, candles_root
from coinfarm.pipeline.planted_edge import PlantedEdge
from coinfarm.storage import open_storage

if TYPE_CHECKING:
    from coinfarm.models.training_data import TrainingData

SYNTHETIC_SYMBOLS = ("DEMOBTC", "DEMOETH", "DEMOLTC")
SYNTHETIC_DAYS = 40
"""Of 1-minute candles. With three coins 172,800 windows: most of a minute on two cores, and enough to choose thresholds on one half and
test on the other. Longer intervals have more days, by the square root of their length, and fewer windows."""
_MINUTE_MS = 60_000
_SYNTHETIC_FROM = date(2026, 1, 1)
_SEED = 1


def store_synthetic_candles(
    output: Path,
    intervals: Sequence[str],
    training: "TrainingData | None",
    first_day: date | None,
    stop_day: date | None,
    on_days: OnDays = lambda *_: None,
    planted: PlantedEdge | None = None,
) -> list[CandleSelection]:
    """Generate and store candles of three synthetic coins, by default after the model's training data. Each interval is another market.

    With a `planted` edge the candles follow the predictions, and only the windows that they follow are selected. Raises `CoinfarmError` for
    dates that leave no day.
    """
    if first_day is None:
        cutoff_days = [] if training is None else [_day_after(training.cutoff_of(symbol)) for symbol in SYNTHETIC_SYMBOLS]
        first_day = max(_SYNTHETIC_FROM, *cutoff_days)
    selections = []
    for interval in canonical_intervals(intervals):
        stop = first_day + timedelta(synthetic_days(interval)) if stop_day is None else stop_day
        check_period(first_day, stop)
        folder = output / f"synthetic-{first_day}-{stop}{'' if planted is None else f'-{planted}'}"
        selection = CandleSelection(folder, SYNTHETIC_SYMBOLS, interval, first_day, stop, synthetic=True)
        if planted is not None:
            selection = planted.select(selection)
        _store(selection, planted, on_days)
        selections.append(selection)
    return selections


def synthetic_days(interval: str) -> int:
    """The default number of days."""
    return ceil(SYNTHETIC_DAYS * sqrt(interval_ms(interval) / _MINUTE_MS))


def _store(selection: CandleSelection, planted: PlantedEdge | None, on_days: OnDays) -> None:
    store, days = CandleStore(open_storage(candles_root(selection.folder))), (selection.stop_day - selection.first_day).days
    # The candles of an edge depend on rounding in the model, so those of an earlier call are kept.
    if planted is not None and all(len(store.days(symbol, selection.interval)) == days for symbol in selection.symbols):
        return
    series = [_generated(symbol, selection) for symbol in selection.symbols]
    if planted is not None:
        series = planted.plant(series, on_days)
    for number, candles in enumerate(series):
        for done, day in enumerate(by_day(candles), 1):
            store.write_day(day)
            on_days(number * days + done, len(series) * days)


def _generated(symbol: str, selection: CandleSelection) -> Candles:
    count = (selection.stop_day - selection.first_day).days * DAY_MS // interval_ms(selection.interval)
    return generate(symbol, selection.interval, day_start_ms(selection.first_day), count, _SEED)


def _day_after(cutoff_ms: int) -> date:
    """The first complete day after the cutoff."""
    return day_of(cutoff_ms + DAY_MS - 1)
