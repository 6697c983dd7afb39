"""Fake engines whose predictions identify the frame."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coinfarm.engines.engine import PendingOutputs
from coinfarm.models.bundle import Bundle
from coinfarm.prediction.model_manager import LoadedModel
from coinfarm.prediction.series import Series
from image_render.render import Frames, render_frames
from image_render.windows import windows
from tests.support.fake_models import create_bundle


class PixelEngine:
    """Predicts the share of set pixels in each channel. `calls` are the batch sizes."""

    name = "pixels"

    def __init__(self) -> None:
        self.calls: list[int] = []

    def predict(self, frames: Frames) -> NDArray[np.float32]:
        self.calls.append(len(frames))
        return shares(frames)


class StreamingPixelEngine(PixelEngine):
    """Reads the frames when the result is requested, like an asynchronous engine. `log` lists starts and ends of batches."""

    def __init__(self, fail_at: int | None = None) -> None:
        """`fail_at` is the number of the batch, from 0, that fails."""
        super().__init__()
        self.log: list[str] = []
        self.places: set[int] = set()
        self._fail_at = fail_at

    def start(self, frames: Frames) -> PendingOutputs:
        number = len(self.calls)
        self.calls.append(len(frames))
        self.places.add(frames.ctypes.data)
        self.log.append(f"begin {number}")

        def finish() -> NDArray[np.float32]:
            self.log.append(f"end {number}")
            if number == self._fail_at:
                raise RuntimeError(f"batch {number} failed")
            return shares(frames)

        return finish


def shares(frames: Frames) -> NDArray[np.float32]:
    """The share of pixels set in each channel of each frame, `(N, 3)`."""
    return frames.mean(axis=(1, 2)).astype(np.float32)


def loaded(folder: Path, engine: Any, **details: Any) -> LoadedModel:
    """A loaded model with that engine; `details` are passed to `Bundle.create`."""
    bundle: Bundle = create_bundle(folder, **details)
    return LoadedModel(bundle, engine, load_ms=0.0)


def expected_outputs(series: Series) -> NDArray[np.float64]:
    """The outputs of a pixel engine for each window, rendered at once."""
    return shares(render_frames(windows(series.candles.columns, stride=series.stride))).astype(np.float64)
