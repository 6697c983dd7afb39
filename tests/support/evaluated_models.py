"""Models to evaluate, whose predictions depend on every pixel."""

import zlib
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from coinfarm.models.training_data import Split, TrainingData
from coinfarm.prediction.predictor import Predictor
from image_render.render import Frames
from tests.support.pixel_engine import loaded


class ChecksumEngine:
    """Predicts numbers from -0.5 to 0.5 that depend on every pixel; `sums` are the checksums of all frames predicted."""

    name = "checksums"

    def __init__(self) -> None:
        self.sums: list[int] = []

    def predict(self, frames: Frames) -> NDArray[np.float32]:
        sums = [zlib.crc32(np.ascontiguousarray(frame)) for frame in frames]
        self.sums += sums
        return np.array([[(checksum >> shift) % 1000 / 1000 - 0.5 for shift in (0, 10, 20)] for checksum in sums], np.float32).reshape(
            -1, 3
        )


def predictor_of(folder: Path, engine: object, cutoff_ms: dict[str, int] | None = None) -> Predictor:
    """A predictor with the engine and training cutoffs by symbol; without them the training data is unknown."""
    training = None
    if cutoff_ms is not None:
        split = Split(from_date=date(2020, 1, 1), to_date=date(2020, 1, 2), frames=1)
        training = TrainingData(
            symbols=tuple(cutoff_ms),
            interval="1h",
            from_date=date(2020, 1, 1),
            to_date=date(2020, 1, 2),
            cutoff_ms=cutoff_ms,
            frames=1,
            splits={"train": split},
        )
    return Predictor(loaded(folder, engine, training=training), max_batch=50)
