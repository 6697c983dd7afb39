"""The only way from candles to predictions: windows to frames, frames to an engine, its outputs to percent."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Values
from coinfarm.engines.engine import is_drawing, is_streaming
from coinfarm.errors import Fault, ModelError, RequestError
from coinfarm.prediction.frame_batch import EngineInputs, FrameBatch, PendingSeries, in_percent
from coinfarm.prediction.predictions import Predictions
from coinfarm.prediction.series import Series
from image_render.draw import Frames, draw_frames, empty_frames
from image_render.rows import empty_rows, pack_rows

if TYPE_CHECKING:
    from coinfarm.engines.engine import Pending
    from coinfarm.prediction.answer_cache import AnswerCache
    from coinfarm.prediction.model_manager import LoadedModel


@dataclass
class Timings:
    """What a predictor has done so far, and where its time went: what an engine does while frames are drawn is no waiting for it."""

    frames: int = 0
    cached_frames: int = 0
    render_ms: float = 0.0
    inference_ms: float = 0.0


@dataclass
class Predictor:
    """Predicts with one version of a model, in batches of at most `max_batch` frames.

    `before_batch` is called before each call of the engine; what it raises ends the work there.
    """

    model: "LoadedModel"
    max_batch: int
    answer_cache: "AnswerCache | None" = None
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
            begin = partial(self._begin, start=engine.start_rows, answer_cache=None)  # drawn there sooner than looked up here
            batches = [FrameBatch(empty_rows(engine.batch_frames), pack_rows) for _ in range(1 + ahead)]
        else:
            begin = partial(self._begin, start=self._start, answer_cache=self.answer_cache)
            batches = [FrameBatch(empty_frames(self.max_batch), draw_frames) for _ in range(1 + ahead)]
        waiting: deque[PendingSeries] = deque()
        begun: deque[tuple[FrameBatch, Pending]] = deque()
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
        raw = [self._begin(part, self._start, self.answer_cache)() for part in parts]
        return in_percent(np.concatenate(raw), outputs, np.ones(len(frames)) if range_pct is None else range_pct)

    def _drawn(self, many: Iterable[Series], waiting: "deque[PendingSeries]", batches: "Iterator[FrameBatch]") -> "Iterator[FrameBatch]":
        """Batches as full as can be, each emptied when its turn comes again."""
        batch = next(batches)
        for series in many:
            job = PendingSeries(series)
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

    def _answered(self, begun: "deque[tuple[FrameBatch, Pending]]", keep: int, waiting: "deque[PendingSeries]") -> Iterator[Predictions]:
        """Wait until only so many batches are at work; the series that this finishes."""
        while len(begun) > keep:
            batch, pending = begun.popleft()
            batch.hand_out(pending(), self.model.bundle.manifest.outputs)
            yield from self._finished(waiting)

    def _begin(self, inputs: EngineInputs, start: Callable[[EngineInputs], "Pending"], answer_cache: "AnswerCache | None") -> "Pending":
        """Have the engine begin, but for frames whose answer is remembered."""
        self.before_batch()
        started = perf_counter()
        self.timings.frames += len(inputs)
        pending = start(inputs) if answer_cache is None else self._start_unknown(inputs, answer_cache)
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

    def _start_unknown(self, frames: Frames, answer_cache: "AnswerCache") -> "Pending":
        keys = answer_cache.keys(self.model.bundle.manifest.version, frames)
        known = [answer_cache.get(key) for key in keys]
        unknown = [at for at, answer in enumerate(known) if answer is None]
        self.timings.cached_frames += len(frames) - len(unknown)
        if not unknown:
            return lambda: np.array(known, np.float32)
        pending = self._start(frames if len(unknown) == len(frames) else frames[unknown])

        def raw_outputs() -> NDArray[np.float32]:
            fresh = self._checked(pending(), len(unknown))
            for at, answer in zip(unknown, fresh, strict=True):
                known[at] = answer
                answer_cache.put(keys[at], answer)
            return np.array(known, np.float32)

        return raw_outputs

    def _checked(self, raw: NDArray[np.float32], frame_count: int) -> NDArray[np.float32]:
        expected = (frame_count, len(self.model.bundle.manifest.outputs))
        if raw.shape != expected:
            raise RuntimeError(f"the engine {self.model.engine.name} answered {raw.shape} instead of {expected}")
        if not np.isfinite(raw).all():
            raise ModelError(f"model {self.model.version} predicts NaN or infinity: promote or pin another version")
        return raw

    def _finished(self, waiting: "deque[PendingSeries]") -> Iterator[Predictions]:
        while waiting and not waiting[0].missing:
            yield waiting.popleft().predictions(self.model.bundle.manifest.training)


def _ms_since(started: float) -> float:
    return (perf_counter() - started) * 1000
