"""THE path: candles, to frames, to an engine, to predictions."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles import Candles, Times, Values
from coinfarm.errors import CandleError, Fault, ModelError, RequestError
from coinfarm.outputs import OUTPUT_NAMES
from image_render.draw import Frames, draw_frames, empty_frames
from image_render.spec import STANDARD
from image_render.windows import Columns, window_count, window_range_pct, windows

if TYPE_CHECKING:
    from coinfarm.answer_cache import AnswerCache
    from coinfarm.models.manager import LoadedModel
    from coinfarm.models.manifest import Output, TrainingData


@dataclass(frozen=True, eq=False)
class Predictions:
    """One row per window, oldest first.

    `open_time` and `close_time` `(n,)` are the window's, int64 milliseconds UTC. `in_sample` is None where the model does not tell what it
    has learnt from. `values_pct` is `(n, 3)`, the outputs in percent of the window's last close, NaN in rows of which more than half the
    candles were made up.
    """

    open_time: Times
    close_time: Times
    filled_candles: NDArray[np.int64]
    in_sample: NDArray[np.bool_] | None
    values_pct: Values

    def __len__(self) -> int:
        return len(self.values_pct)


@dataclass
class Timings:
    """What a predictor has done so far, and where the time went."""

    frames: int = 0
    cached_frames: int = 0
    render_ms: float = 0.0
    inference_ms: float = 0.0


@dataclass(frozen=True)
class Series:
    """Candles without holes (`coinfarm.candles.fill_gaps`), of which every `stride`-th window is asked for."""

    candles: Candles
    stride: int = 1

    def __post_init__(self) -> None:
        if len(self.candles) < STANDARD.window_candles:
            raise CandleError(
                Fault(
                    "/candles",
                    f"{len(self.candles)} candles are too few: a window has {STANDARD.window_candles}, "
                    f"and the first of them must have {STANDARD.window_candles - 1} before it",
                )
            )

    def __len__(self) -> int:
        return window_count(len(self.candles), STANDARD, self.stride)


@dataclass
class Predictor:
    """Predicts with one version of a model, in batches of at most `max_batch` frames.

    `before_batch` is called before each call of the engine; what it raises ends the work there.
    """

    model: "LoadedModel"
    max_batch: int
    answers: "AnswerCache | None" = None
    before_batch: Callable[[], None] = lambda: None
    timings: Timings = field(default_factory=Timings)

    def predict(self, series: Series) -> Predictions:
        """The predictions of one series."""
        return next(self.predict_each([series]))

    def predict_each(self, many: Iterable[Series]) -> Iterator[Predictions]:
        """The predictions of each series, in order, as soon as they are known; the series share the engine's batches."""
        batch = _Batch(self.max_batch)
        waiting: deque[_Job] = deque()
        for series in many:
            job = _Job(series)
            waiting.append(job)
            left = job.drawn
            while len(left):
                started = perf_counter()
                left = batch.take(job, left)
                self.timings.render_ms += _ms_since(started)
                if batch.full:
                    self._answer(batch)
                    yield from self._finished(waiting)
        if batch.used:
            self._answer(batch)
        yield from self._finished(waiting)

    def predict_frames(self, frames: Frames, range_pct: Values | None) -> Values:
        """`(N, 3)` in percent, for ready-made frames `(N, 200, 150, 3)`; `range_pct` `(N,)` is each window's own price range in percent
        of its last close, needed where an output of the model is in `window_range` units (else `RequestError`).
        """
        outputs = self.model.bundle.manifest.outputs
        if range_pct is None and any(output.unit == "window_range" for output in outputs):
            raise RequestError(
                Fault(
                    "/windowRangePct",
                    "is missing: this model foretells shares of the window's price range, which the image alone does not tell; "
                    "send 100 * (max high - min low) / last close of each window",
                )
            )
        raw = [self._raw_outputs(frames[at : at + self.max_batch]) for at in range(0, len(frames), self.max_batch)]
        return _in_percent(np.concatenate(raw), outputs, np.ones(len(frames)) if range_pct is None else range_pct)

    def _answer(self, batch: "_Batch") -> None:
        raw = self._raw_outputs(batch.frames[: batch.used])
        first = 0
        for job, chosen, range_pct in batch.parts:
            last = first + len(chosen)
            job.values_pct[chosen] = _in_percent(raw[first:last], self.model.bundle.manifest.outputs, range_pct)
            job.missing -= len(chosen)
            first = last
        batch.empty()

    def _raw_outputs(self, frames: Frames) -> NDArray[np.float32]:
        """`(N, outputs)` as the engine says them; frames whose answer is remembered are not asked again."""
        self.before_batch()
        started = perf_counter()
        self.timings.frames += len(frames)
        raw = self._engine_outputs(frames) if self.answers is None else self._remembered_outputs(frames, self.answers)
        self.timings.inference_ms += _ms_since(started)
        return raw

    def _remembered_outputs(self, frames: Frames, answers: "AnswerCache") -> NDArray[np.float32]:
        keys = answers.keys(self.model.bundle.manifest.version, frames)
        known = [answers.get(key) for key in keys]
        unknown = [at for at, answer in enumerate(known) if answer is None]
        if unknown:
            fresh = self._engine_outputs(frames if len(unknown) == len(frames) else frames[unknown])
            for at, answer in zip(unknown, fresh, strict=True):
                known[at] = answer
                answers.put(keys[at], answer)
        self.timings.cached_frames += len(frames) - len(unknown)
        return np.array(known, np.float32)

    def _engine_outputs(self, frames: Frames) -> NDArray[np.float32]:
        raw = self.model.engine.predict(frames)
        expected = (len(frames), len(self.model.bundle.manifest.outputs))
        if raw.shape != expected:
            raise RuntimeError(f"the engine {self.model.engine.name} answered {raw.shape} instead of {expected}")
        if not np.isfinite(raw).all():
            raise ModelError(f"model {self.model.version} answers with what is no finite number: promote or pin another version")
        return raw

    def _finished(self, waiting: "deque[_Job]") -> Iterator[Predictions]:
        while waiting and not waiting[0].missing:
            yield waiting.popleft().predictions(self.model.bundle.manifest.training)


class _Job:
    """A series on its way: which of its windows are drawn, and what is known of them."""

    def __init__(self, series: Series) -> None:
        self.series = series
        self.windows = windows(series.candles.columns, STANDARD, series.stride)
        filled_before = np.concatenate([[0], np.cumsum(series.candles.filled)])
        self.starts = np.arange(len(series)) * series.stride
        self.filled_candles = filled_before[self.starts + STANDARD.window_candles] - filled_before[self.starts]
        self.drawn = np.flatnonzero(2 * self.filled_candles <= STANDARD.window_candles)
        self.missing = len(self.drawn)
        self.values_pct = np.full((len(series), len(OUTPUT_NAMES)), np.nan)

    def predictions(self, training: "TrainingData | None") -> Predictions:
        candles = self.series.candles
        open_time = candles.open_time[self.starts]
        close_time = open_time + STANDARD.window_candles * candles.interval_ms - 1  # the last millisecond, as exchanges write it
        in_sample = None
        if training is not None:
            # A coin that the model has not seen moves with those it has: the latest cut-off of any counts.
            cutoff_ms = training.cutoff_ms.get(candles.symbol, max(training.cutoff_ms.values()))
            in_sample = open_time < cutoff_ms
        return Predictions(open_time, close_time, self.filled_candles, in_sample, self.values_pct)


class _Batch:
    """Room for the frames of one engine call, shared by as many series as fit."""

    def __init__(self, most_frames: int) -> None:
        self.frames = empty_frames(most_frames)
        self.empty()

    def empty(self) -> None:
        self.used = 0
        self.parts: list[tuple[_Job, NDArray[np.intp], Values]] = []

    @property
    def full(self) -> bool:
        return self.used == len(self.frames)

    def take(self, job: _Job, wanted: NDArray[np.intp]) -> NDArray[np.intp]:
        """Draw as many of the wanted windows as there is room for; the rest is returned."""
        chosen, rest = np.split(wanted, [len(self.frames) - self.used])
        # Windows without holes are a slice, which stays a view; others are gathered.
        unbroken = chosen[-1] - chosen[0] == len(chosen) - 1
        part = slice(chosen[0], chosen[-1] + 1) if unbroken else chosen
        drawn = Columns(*(column[part] for column in job.windows))
        draw_frames(drawn, out=self.frames[self.used : self.used + len(chosen)])
        self.parts.append((job, chosen, window_range_pct(drawn)))
        self.used += len(chosen)
        return rest


def _in_percent(raw: NDArray[np.float32], outputs: "tuple[Output, ...]", range_pct: Values) -> Values:
    """Raw outputs `(N, outputs)`, in the manifest's units and order, as percent in the order of `OUTPUT_NAMES`."""
    values = np.empty((len(raw), len(OUTPUT_NAMES)))
    for column, output in zip(raw.astype(np.float64).T, outputs, strict=True):
        if output.return_map is not None:
            column = np.interp(column, np.arange(len(output.return_map)), output.return_map)
        if output.unit == "window_range":
            column = column * range_pct
        values[:, OUTPUT_NAMES.index(output.name)] = column
    return values


def _ms_since(started: float) -> float:
    return (perf_counter() - started) * 1000
