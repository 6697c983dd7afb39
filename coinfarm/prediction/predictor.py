"""Predicts candles: renders windows as frames, runs the engine, and converts its outputs to percent."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Values
from coinfarm.engines.engine import is_streaming, takes_rows
from coinfarm.errors import ErrorDetail, InvalidInput, ModelError
from coinfarm.prediction.frame_batch import EngineInputs, FrameBatch, PendingSeries, in_percent
from coinfarm.prediction.predictions import Predictions
from coinfarm.prediction.series import Series
from image_render.render import Frames, empty_frames, render_frames
from image_render.rows import empty_rows, pack_rows

if TYPE_CHECKING:
    from coinfarm.engines.engine import PendingOutputs
    from coinfarm.prediction.model_manager import LoadedModel
    from coinfarm.prediction.prediction_cache import PredictionCache

    Start = Callable[[EngineInputs], PendingOutputs]


@dataclass
class Timings:
    """Counts and times of a predictor; `batches` are the calls of the engine by their number of frames. Engine time during rendering is
    not counted as inference, because nothing waits for it.
    """

    frames: int = 0
    cached_frames: int = 0
    batches: Counter[int] = field(default_factory=Counter)
    render_ms: float = 0.0
    inference_ms: float = 0.0


@dataclass
class Predictor:
    """Predicts with one version of a model, in batches of at most `max_batch` frames.

    `before_batch` is called before each call of the engine; an exception that it raises stops the prediction.
    """

    model: "LoadedModel"
    max_batch: int
    prediction_cache: "PredictionCache | None" = None
    before_batch: Callable[[], None] = lambda: None
    timings: Timings = field(default_factory=Timings)

    def predict(self, series: Series) -> Predictions:
        """The predictions of one series."""
        return next(self.predict_each([series]))

    def predict_each(self, all_series: Iterable[Series]) -> Iterator[Predictions]:
        """Yield the predictions of each series in order, as soon as they are known. Series share the engine's batches.

        A streaming engine runs one batch while the next is rendered. After an error the engine has finished all started batches.
        """
        engine = self.model.engine
        max_running = int(is_streaming(engine))
        start: Start
        if takes_rows(engine):
            start = engine.start_rows
            batches = [FrameBatch(empty_rows(engine.batch_frames), pack_rows) for _ in range(1 + max_running)]
        else:
            start = self._start
            batches = [FrameBatch(empty_frames(self.max_batch), render_frames) for _ in range(1 + max_running)]
        waiting: deque[PendingSeries] = deque()
        started: deque[tuple[FrameBatch, PendingOutputs]] = deque()
        try:
            for batch in self._rendered(all_series, waiting, cycle(batches)):
                started.append((batch, self._start_batch(batch.inputs[: batch.used], start)))
                yield from self._completed(started, max_running, waiting)
            yield from self._completed(started, 0, waiting)
            yield from self._predicted(waiting)
        except Exception:
            yield from self._completed(started, 0, waiting)  # batches that were started before the error
            raise
        finally:
            for _, outputs in started:
                with suppress(Exception):
                    outputs()

    def predict_frames(self, frames: Frames, range_pct: Values | None) -> Values:
        """`(N, 3 * horizons)` in percent, for pre-rendered frames `(N, 200, 150, 3)`; `range_pct` `(N,)` is each window's own price range
        in percent of its last close, needed where an output of the model is in `window_range` units (else `InvalidInput`).
        """
        outputs = self.model.bundle.manifest.outputs
        if range_pct is None and any(output.needs_range for output in outputs):
            raise InvalidInput(
                ErrorDetail(
                    "/windowRangePct",
                    "is missing: this model predicts shares of the window's price range, which is not part of the frame; "
                    "send 100 * (max high - min low) / last close of each window",
                )
            )
        parts = [frames[at : at + self.max_batch] for at in range(0, len(frames), self.max_batch)]
        raw = [self._start_batch(part, self._start)() for part in parts]
        return in_percent(np.concatenate(raw), outputs, np.ones(len(frames)) if range_pct is None else range_pct)

    def _rendered(
        self, all_series: Iterable[Series], waiting: "deque[PendingSeries]", batches: "Iterator[FrameBatch]"
    ) -> "Iterator[FrameBatch]":
        """Batches, filled as far as possible; each is cleared when it is used again."""
        batch, further_horizons = next(batches), self.model.bundle.manifest.horizons[1:]
        for series in all_series:
            pending = PendingSeries(series, further_horizons)
            waiting.append(pending)
            left = pending.to_render
            while len(left):
                started = perf_counter()
                left = batch.add(pending, left)
                self.timings.render_ms += _ms_since(started)
                if batch.is_full:
                    yield batch
                    batch = next(batches)
                    batch.clear()
        if batch.used:
            yield batch

    def _completed(
        self, started: "deque[tuple[FrameBatch, PendingOutputs]]", max_running: int, waiting: "deque[PendingSeries]"
    ) -> Iterator[Predictions]:
        """Wait until at most `max_running` batches are running; yield the predictions of completed series."""
        while len(started) > max_running:
            batch, outputs = started.popleft()
            batch.distribute(outputs(), self.model.bundle.manifest.outputs)
            yield from self._predicted(waiting)

    def _start_batch(self, inputs: EngineInputs, start: "Start") -> "PendingOutputs":
        """Start the engine, except for cached frames."""
        self.before_batch()
        started = perf_counter()
        self.timings.frames += len(inputs)
        self.timings.batches[len(inputs)] += 1
        outputs = start(inputs) if self.prediction_cache is None else self._start_uncached(inputs, start, self.prediction_cache)
        self.timings.inference_ms += _ms_since(started)

        def raw_outputs() -> NDArray[np.float32]:
            started = perf_counter()
            raw = self._checked(outputs(), len(inputs))
            self.timings.inference_ms += _ms_since(started)
            return raw

        return raw_outputs

    def _start(self, frames: Frames) -> "PendingOutputs":
        engine = self.model.engine
        if is_streaming(engine):
            return engine.start(frames)
        raw = engine.predict(frames)
        return lambda: raw

    def _start_uncached(self, inputs: EngineInputs, start: "Start", prediction_cache: "PredictionCache") -> "PendingOutputs":
        keys = prediction_cache.keys(self.model.bundle.manifest.version, inputs)
        rows = [prediction_cache.get(key) for key in keys]
        uncached = [at for at, row in enumerate(rows) if row is None]
        self.timings.cached_frames += len(inputs) - len(uncached)
        if not uncached:
            return lambda: np.array(rows, np.float32)
        outputs = start(inputs if len(uncached) == len(inputs) else inputs[uncached])

        def raw_outputs() -> NDArray[np.float32]:
            predicted = self._checked(outputs(), len(uncached))
            for at, row in zip(uncached, predicted, strict=True):
                rows[at] = row
                prediction_cache.put(keys[at], row)
            return np.array(rows, np.float32)

        return raw_outputs

    def _checked(self, raw: NDArray[np.float32], frame_count: int) -> NDArray[np.float32]:
        expected = (frame_count, len(self.model.bundle.manifest.outputs))
        if raw.shape != expected:
            raise RuntimeError(f"the engine {self.model.engine.name} returned {raw.shape} instead of {expected}")
        if not np.isfinite(raw).all():
            raise ModelError(f"model {self.model.version} predicts NaN or infinity: promote or pin another version")
        return raw

    def _predicted(self, waiting: "deque[PendingSeries]") -> Iterator[Predictions]:
        while waiting and not waiting[0].unpredicted:
            yield waiting.popleft().predictions(self.model.bundle.manifest.training)


def _ms_since(started: float) -> float:
    return (perf_counter() - started) * 1000
