"""What runs a model: one Protocol, and behind it Keras or a compiled form."""

from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from coinfarm.models.bundle import Bundle


class Engine(Protocol):
    """A loaded model. Thread-safe."""

    @property
    def name(self) -> str:
        """Which engine this is, and in which precision, as answers and metrics show it."""
        ...

    def predict(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Raw outputs `(N, outputs)`, in the manifest's order and units, of frames `(N, 200, 150, 3)`; any N."""
        ...


def load_engine(bundle: "Bundle", max_batch: int) -> Engine:
    """The engine that runs a bundle; raises `ModelError` for a bundle that it cannot load.

    TensorFlow is imported here, when a model is first needed, and not before.
    """
    from coinfarm.engines.keras import KerasEngine

    return KerasEngine(bundle, max_batch)
