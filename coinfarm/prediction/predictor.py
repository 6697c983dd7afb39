"""THE path: candles, to frames, to an engine, to predictions."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import cycle
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Times, Values
from coinfarm.candles.candles import Candles
from coinfarm.engines.engine import is_drawing, is_streaming
from coinfarm.errors import CandleError, Fault, ModelError, RequestError
from coinfarm.outputs import OUTPUT_NAMES
from image_render.draw import Frames, draw_frames, empty_frames
from image_render.rows import empty_rows, pack_rows
from image_render.spec import STANDARD
from image_render.windows import Columns, window_count, window_range_pct, windows

if TYPE_CHECKING:
    from coinfarm.engines.engine import Pending
    from coinfarm.models.manifest import Output, TrainingData
    from coinfarm.prediction.answer_cache import AnswerCache
    from coinfarm.prediction.model_manager import LoadedModel

Inputs = NDArray[np.uint8]
"""What an engine is given: frames, or the rows that it draws them from."""


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
    """What a predictor has done so far, and where its time went: what an engine does while frames are drawn is no waiting for it."""

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
                    f"{len(self.candles)} candles are too few: a prediction needs {STANDARD.window_candles} consecutive ones",
                )
            )

    def __len__(self) -> int:
        return window_count(len(self.candles), STANDARD, self.stride)

    def last(self, count: int) -> "Series":
        """The last `count` of the windows, or all."""
        return replace(self, candles=self.candles[max(0, len(self) - count) * self.stride :])

    def parts(self, count: int) -> "Iterator[Series]":
        """The same windows, in order, in series of at most `count`."""
        for first in range(0, len(self), count):
            last = min(first + count, len(self)) - 1
            yield replace(self, candles=self.candles[first * self.stride : last * self.stride + STANDARD.window_candles])


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
        """The predictions of each series, in order, as soon as they are known; the series share the engine's batches.

        An engine that can is at work on one batch while the next is drawn. After an error nothing is at work any more.
        """
        engine = self.model.engine
        ahead = int(is_streaming(engine))
        if is_drawing(engine):
            begin = partial(self._begin, start=engine.start_rows, answers=None)  # drawn there sooner than looked up here
            batches = [_Batch(empty_rows(engine.batch_frames), pack_rows) for _ in range(1 + ahead)]
        else:
            begin = partial(self._begin, start=self._start, answers=self.answers)
            batches = [_Batch(empty_frames(self.max_batch), draw_frames) for _ in range(1 + ahead)]
        waiting: deque[_Job] = deque()
        begun: deque[tuple[_Batch, Pending]] = deque()
        try:
            for batch in self._drawn(many, waiting, cycle(batches)):
                begun.append((batch, begin(batch.inputs[: batch.used])))
                yield from self._answered(begun, ahead, waiting)
            yield from self._answered(begun, 0, waiting)
            yield from self._finished(waiting)
        except Exception:
            yield from self._answered(begun, 0, waiting)  # what was begun before it
            raise
        finally:
            for _, pending in begun:
                with suppress(Exception):
                    pending()

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
        parts = [frames[at : at + self.max_batch] for at in range(0, len(frames), self.max_batch)]
        raw = [self._begin(part, self._start, self.answers)() for part in parts]
        return _in_percent(np.concatenate(raw), outputs, np.ones(len(frames)) if range_pct is None else range_pct)

    def _drawn(self, many: Iterable[Series], waiting: "deque[_Job]", batches: "Iterator[_Batch]") -> "Iterator[_Batch]":
        """Batches as full as can be, each emptied when its turn comes again."""
        batch = next(batches)
        for series in many:
            job = _Job(series)
            waiting.append(job)
            left = job.drawn
            while len(left):
                started = perf_counter()
                left = batch.take(job, left)
                self.timings.render_ms += _ms_since(started)
                if batch.full:
                    yield batch
                    batch = next(batches)
                    batch.empty()
        if batch.used:
            yield batch

    def _answered(self, begun: "deque[tuple[_Batch, Pending]]", keep: int, waiting: "deque[_Job]") -> Iterator[Predictions]:
        """Wait until only so many batches are at work; the series that this finishes."""
        while len(begun) > keep:
            batch, pending = begun.popleft()
            batch.hand_out(pending(), self.model.bundle.manifest.outputs)
            yield from self._finished(waiting)

    def _begin(self, inputs: Inputs, start: Callable[[Inputs], "Pending"], answers: "AnswerCache | None") -> "Pending":
        """Have the engine begin, but for frames whose answer is remembered."""
        self.before_batch()
        started = perf_counter()
        self.timings.frames += len(inputs)
        pending = start(inputs) if answers is None else self._start_unknown(inputs, answers)
        self.timings.inference_ms += _ms_since(started)

        def raw_outputs() -> NDArray[np.float32]:
            started = perf_counter()
            raw = self._checked(pending(), len(inputs))
            self.timings.inference_ms += _ms_since(started)
            return raw

        return raw_outputs

    def _start(self, frames: Frames) -> "Pending":
        engine = self.model.engine
        if is_streaming(engine):
            return engine.start(frames)
        raw = engine.predict(frames)
        return lambda: raw

    def _start_unknown(self, frames: Frames, answers: "AnswerCache") -> "Pending":
        keys = answers.keys(self.model.bundle.manifest.version, frames)
        known = [answers.get(key) for key in keys]
        unknown = [at for at, answer in enumerate(known) if answer is None]
        self.timings.cached_frames += len(frames) - len(unknown)
        if not unknown:
            return lambda: np.array(known, np.float32)
        pending = self._start(frames if len(unknown) == len(frames) else frames[unknown])

        def raw_outputs() -> NDArray[np.float32]:
            fresh = self._checked(pending(), len(unknown))
            for at, answer in zip(unknown, fresh, strict=True):
                known[at] = answer
                answers.put(keys[at], answer)
            return np.array(known, np.float32)

        return raw_outputs

    def _checked(self, raw: NDArray[np.float32], frame_count: int) -> NDArray[np.float32]:
        expected = (frame_count, len(self.model.bundle.manifest.outputs))
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
            in_sample = open_time < training.cutoff_of(candles.symbol)
        return Predictions(open_time, close_time, self.filled_candles, in_sample, self.values_pct)


class _Batch:
    """Room for what the engine is given at once, shared by as many series as fit."""

    def __init__(self, inputs: Inputs, draw: Callable[..., Inputs]) -> None:
        """`draw(windows, out=…)` fills (a slice along the first axis of) `inputs`, which is `(frames, …)`."""
        self.inputs = inputs
        self._draw = draw
        self.empty()

    def empty(self) -> None:
        self.used = 0
        self._parts: list[tuple[_Job, NDArray[np.intp], Values]] = []

    @property
    def full(self) -> bool:
        return self.used == len(self.inputs)

    def take(self, job: _Job, wanted: NDArray[np.intp]) -> NDArray[np.intp]:
        """Draw as many of the wanted windows as there is room for; the rest is returned."""
        chosen, rest = np.split(wanted, [len(self.inputs) - self.used])
        # Windows without holes are a slice, which stays a view; others are gathered.
        unbroken = chosen[-1] - chosen[0] == len(chosen) - 1
        part = slice(chosen[0], chosen[-1] + 1) if unbroken else chosen
        drawn = Columns(*(column[part] for column in job.windows))
        self._draw(drawn, out=self.inputs[self.used : self.used + len(chosen)])
        self._parts.append((job, chosen, window_range_pct(drawn)))
        self.used += len(chosen)
        return rest

    def hand_out(self, raw: NDArray[np.float32], outputs: "tuple[Output, ...]") -> None:
        """Give each series its share of the engine's outputs `(used, outputs)`."""
        first = 0
        for job, chosen, range_pct in self._parts:
            last = first + len(chosen)
            job.values_pct[chosen] = _in_percent(raw[first:last], outputs, range_pct)
            job.missing -= len(chosen)
            first = last


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
