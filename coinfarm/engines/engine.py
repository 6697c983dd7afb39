"""What every engine does: one protocol, and what some engines do beyond it."""

from collections.abc import Callable
from typing import Protocol, TypeGuard

import numpy as np
from numpy.typing import NDArray

Pending = Callable[[], NDArray[np.float32]]
"""Waits for what an engine is at work on; gives its raw outputs `(N, outputs)`, or raises. Until it has returned, the engine may read
what it was given: that must not be changed."""


class Engine(Protocol):
    """A loaded model. Thread-safe."""

    @property
    def name(self) -> str:
        """Which engine this is, and in which precision, as answers and metrics show it."""
        ...

    def predict(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Raw outputs `(N, outputs)`, in the manifest's order and units, of frames `(N, 200, 150, 3)`; any N."""
        ...


class StreamingEngine(Engine, Protocol):
    """An engine that can be at work while the next batch is drawn."""

    def start(self, frames: NDArray[np.uint8]) -> Pending:
        """Begin what `predict` does."""
        ...


class DrawingEngine(StreamingEngine, Protocol):
    """An engine that draws the frames itself, out of their row numbers, where its pixels are needed."""

    @property
    def batch_frames(self) -> int:
        """How many frames it wants at once."""
        ...

    def start_rows(self, rows: NDArray[np.uint8]) -> Pending:
        """Begin to draw and predict frames given as rows `(N, 200, 5)` (`image_render.rows.pack_rows`); any N."""
        ...


def is_streaming(engine: Engine) -> TypeGuard[StreamingEngine]:
    """Whether the engine can be at work meanwhile."""
    return hasattr(engine, "start")  # isinstance with a Protocol takes ten microseconds, and is asked of every request


def is_drawing(engine: Engine) -> TypeGuard[DrawingEngine]:
    """Whether the engine draws."""
    return hasattr(engine, "start_rows")
