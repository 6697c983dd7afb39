"""The protocol of all engines, and two extensions of it."""

from collections.abc import Callable
from typing import Protocol, TypeGuard

import numpy as np
from numpy.typing import NDArray

PendingOutputs = Callable[[], NDArray[np.float32]]
"""Waits for an engine and returns its raw outputs `(N, outputs)`, or raises. Do not change the inputs before it returns: the engine
may still read them."""


class Engine(Protocol):
    """A loaded model. Thread-safe."""

    @property
    def name(self) -> str:
        """Engine and precision, as shown in responses and metrics."""
        ...

    def predict(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Raw outputs `(N, outputs)`, in the manifest's order and units, of frames `(N, 200, 150, 3)`; any N."""
        ...


class StreamingEngine(Engine, Protocol):
    """An engine that runs asynchronously, while the next batch is rendered."""

    def start(self, frames: NDArray[np.uint8]) -> PendingOutputs:
        """Start `predict`."""
        ...


class RowsEngine(StreamingEngine, Protocol):
    """An engine that takes the row numbers of frames, and needs no pixels or renders them on its device."""

    @property
    def batch_frames(self) -> int:
        """The preferred number of frames per batch."""
        ...

    def start_rows(self, rows: NDArray[np.uint8]) -> PendingOutputs:
        """Start to predict frames given as rows `(N, 200, 5)` (`image_render.rows.pack_rows`); any N."""
        ...


def is_streaming(engine: Engine) -> TypeGuard[StreamingEngine]:
    """Whether the engine runs asynchronously."""
    return hasattr(engine, "start")  # isinstance with a Protocol takes ten microseconds in every request


def takes_rows(engine: Engine) -> TypeGuard[RowsEngine]:
    """Whether the engine takes rows."""
    return hasattr(engine, "start_rows")
