"""From candles to the verdict in one go: history, backfill, backtest. What a step made, the next call finds and goes on from."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from coinfarm.backfill.collect import collect
from coinfarm.backfill.coverage import Counts
from coinfarm.backfill.estimate import Fleet
from coinfarm.backfill.plan import BackfillSpec, plan_run, speed_here
from coinfarm.backfill.run_manifest import Run
from coinfarm.backtest.backtest import Progress, Result, backtest, silent
from coinfarm.backtest.strategy import Strategy
from coinfarm.candle_store.importing import import_file
from coinfarm.candle_store.store import CandleStore, SeriesName
from coinfarm.candles.day import DAY_MS, by_day, day_of, day_start_ms
from coinfarm.candles.synthetic import generate
from coinfarm.errors import CoinfarmError, NotFound
from coinfarm.storage import open_storage

if TYPE_CHECKING:
    from coinfarm.models.training_data import TrainingData
    from coinfarm.prediction.predictor import Predictor

SYNTHETIC_SYMBOLS = ("DEMOBTC", "DEMOETH", "DEMOLTC")
SYNTHETIC_DAYS = 40
"""With three coins 172,800 windows, most of a minute for two cores; and enough to choose thresholds on one half, and judge the other."""
SYNTHETIC_NOTE = "These candles are synthetic: the verdict says nothing about a market. Give files of real candles for that."
_SYNTHETIC_FROM = date(2026, 1, 1)
_SEED = 1

OnDays = Callable[[int, int], None]
"""Told how many days are stored, of how many (of one file, where there are files)."""


@dataclass(frozen=True)
class Scope:
    """What the question is about: coins in the candle store under `folder`, and the days `[first, stop)` on which its windows end.

    All that is made of these candles lies in `folder` too; other candles have another one.
    """

    folder: Path
    symbols: tuple[str, ...]
    interval: str
    first: date
    stop: date
    synthetic: bool

    @property
    def candles_root(self) -> str:
        return _candles_root(self.folder)


@dataclass(frozen=True, eq=False)
class Judged:
    """The answer: the backtest's result, what became of the windows asked for, and where the predictions lie."""

    result: Result
    windows: Counts
    predictions: Path


def synthetic_scope(
    output: Path, training: "TrainingData | None", first: date | None, stop: date | None, on_days: OnDays = lambda *_: None
) -> Scope:
    """Candles of three coins that do not exist, made and stored; without dates `SYNTHETIC_DAYS` days that the model has not learnt from.

    Raises `CoinfarmError` for dates that leave no day.
    """
    if first is None:
        cut_offs = [] if training is None else [_day_after(training.cutoff_of(symbol)) for symbol in SYNTHETIC_SYMBOLS]
        first = max(_SYNTHETIC_FROM, *cut_offs)
    stop = first + timedelta(SYNTHETIC_DAYS) if stop is None else stop
    _check_order(first, stop)
    scope = Scope(output / f"made-up-{first}-{stop}", SYNTHETIC_SYMBOLS, "1m", first, stop, synthetic=True)
    store = CandleStore(open_storage(scope.candles_root))
    days = (stop - first).days
    for at, symbol in enumerate(SYNTHETIC_SYMBOLS):
        candles = generate(symbol, scope.interval, day_start_ms(first), days * DAY_MS // 60_000, _SEED)
        for done, day in enumerate(by_day(candles), 1):
            store.write_day(day)
            on_days(at * days + done, len(SYNTHETIC_SYMBOLS) * days)
    return scope


def imported_scope(
    output: Path,
    files: Sequence[Path],
    training: "TrainingData | None",
    first: date | None,
    stop: date | None,
    on_days: OnDays = lambda *_: None,
) -> Scope:
    """The candles of the files, stored; without a first day from the model's cut-off on, since what it learnt from is never judged.

    Each set of files has a folder of its own, by its content. Raises `CoinfarmError` where a candle is refused, for files of several
    intervals, and where no day is left.
    """
    folder = output / f"files-{_digest(files)}"
    store = CandleStore(open_storage(_candles_root(folder)))
    series = set()
    for file in files:
        outcome = import_file(store, file, progress=on_days)
        if outcome.refused:
            raise CoinfarmError(outcome.refused[0])
        series.add(SeriesName(outcome.symbol, outcome.interval))
    symbols, interval = tuple(sorted(each.symbol for each in series)), _interval_of(series)
    days = sorted({day for symbol in symbols for day in store.days(symbol, interval)})
    since = None if training is None else min(day_of(training.cutoff_of(symbol)) for symbol in symbols)
    if first is None:
        first = days[0] if since is None else max(since, days[0])
    stop = days[-1] + timedelta(1) if stop is None else stop
    if since is not None and days[-1] < since:
        raise CoinfarmError(
            f"the candles end on {days[-1]}, but the model was trained on candles before {since}, so none are left to test it on: "
            "give later candles, or another model with --model"
        )
    _check_order(first, stop)
    if not any(first <= day < stop for day in days):
        raise CoinfarmError(f"there are candles from {days[0]} to {days[-1]}, and none from {first} on and before {stop}")
    return Scope(folder, symbols, interval, first, stop, synthetic=False)


def planned(scope: Scope, predictor: "Predictor", model_uri: str | None) -> Run:
    """The run over the scope with the model in service; planned, and this machine timed for it, where it was not before.

    Its results lie where those of other days of the same candles do, so what is there is not done again.
    """
    version = predictor.model.version
    candles, results = open_storage(scope.candles_root), open_storage(str(scope.folder / "results"))
    # A manifest never changes: where the model or the folder has moved, it is another run, of the same results.
    told = "\n".join([version, str(model_uri), candles.uri(), results.uri()])
    name = f"{scope.first}-{scope.stop}-{hashlib.sha256(told.encode()).hexdigest()[:8]}"
    run = Run.at(str(scope.folder / "runs" / name))
    if not _is_planned(run):
        spec = BackfillSpec(scope.symbols, scope.interval, scope.first, scope.stop, 1, model_uri, version, candles, results)
        run.write(plan_run(spec, speed_here(predictor), Fleet(), "here"))
    return run


def judge(scope: Scope, run: Run, progress: Progress = silent) -> Judged:
    """Collect what the run has predicted, and backtest it with the default strategy.

    Raises `CoinfarmError` where a part of the run is not done, or nothing is left to judge.
    """
    predictions = Path(run.storage.uri("predictions.parquet"))
    shards = len(list(run.manifest.shards()))
    done = 0

    def count() -> None:
        nonlocal done
        done += 1
        progress("collecting", done, shards)

    coverage = collect(run, predictions, count)
    if coverage.missing:
        raise CoinfarmError(f"{len(coverage.missing):,} shards have no whole result, the first is {coverage.missing[0]}: call again")
    result = backtest(str(predictions), scope.candles_root, Strategy(), progress=progress)
    result = replace(result, model=run.manifest.model_version)
    if scope.synthetic:
        result = replace(result, verdict=replace(result.verdict, reasons=(SYNTHETIC_NOTE, *result.verdict.reasons)))
    return Judged(result, coverage.total, predictions)


def _candles_root(folder: Path) -> str:
    return str(folder / "history")


def _is_planned(run: Run) -> bool:
    try:
        run.manifest  # noqa: B018 - it is read when it is asked for
    except NotFound:
        return False
    return True


def _digest(files: Sequence[Path]) -> str:
    """The same for the same files under the same names, wherever they lie."""
    told = sorted(f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files)
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:8]


def _interval_of(series: set[SeriesName]) -> str:
    found = sorted({each.interval for each in series})
    if len(found) > 1:
        raise CoinfarmError(f"the files are of several intervals ({', '.join(found)}): ask about one at a time")
    return found[0]


def _day_after(cutoff_ms: int) -> date:
    """The first day that lies after the cut-off as a whole."""
    return day_of(cutoff_ms + DAY_MS - 1)


def _check_order(first: date, stop: date) -> None:
    if stop <= first:
        raise CoinfarmError(f"--to {stop} is not after {first}, the first day: it is the day after the last one")
