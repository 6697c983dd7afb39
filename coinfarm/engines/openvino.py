"""The compiled engines: OpenVINO runs one graph, to all outputs, on all cores."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coinfarm.engines.column_tables import ColumnTables, TableLookup
from coinfarm.engines.openvino_graph import OpenVinoGraph
from image_render.render import Frames, as_planes
from image_render.rows import Rows, rows_of_frames
from image_render.spec import STANDARD

if TYPE_CHECKING:
    from coinfarm.engines.engine import PendingOutputs, StreamingEngine
    from coinfarm.models.bundle import Bundle
    from coinfarm.models.compiled_form import CompiledForm

_CHUNK_FRAMES = 4
"""Small enough that activations stay in a core's cache, large enough to hide the cost of a call: with one frame it is 15 % slower, with a
hundred half as fast."""
_CHUNK_FRAMES_OF_ROWS = 8
"""Networks on columns have smaller activations."""


def openvino_engine(bundle: "Bundle", form: "CompiledForm", max_batch: int, threads: int | None = None) -> "StreamingEngine":
    """The engine of a compiled form, on so many threads, or on all cores of the machine; it loads neither TensorFlow nor Keras.

    Raises `ModelError` for files that cannot be loaded, and for inputs or outputs that differ from the manifest.
    """
    return OpenVinoEngine(bundle, form, threads) if form.tables is None else OpenVinoRowsEngine(bundle, form, max_batch, threads)


class OpenVinoEngine:
    """A compiled form of a bundle, from `uint8` frames."""

    def __init__(self, bundle: "Bundle", form: "CompiledForm", threads: int | None = None) -> None:
        self.name = f"openvino-{form.name}"
        candles, rows, channels = STANDARD.shape
        self._graph = OpenVinoGraph(bundle, form, (channels, candles, rows), "u8", _CHUNK_FRAMES, threads)

    def predict(self, frames: Frames) -> NDArray[np.float32]:
        """`(N, 200, 150, 3)` to `(N, outputs)`; frames from image_render are read without a copy."""
        return self.start(frames)()

    def start(self, frames: Frames) -> "PendingOutputs":
        """As `predict`, but returns while the last chunks are still running."""
        return self._graph.start(np.ascontiguousarray(as_planes(frames)))


class OpenVinoRowsEngine:
    """A compiled form of a bundle, from row numbers: the first layer is looked up in tables, while the cores run the rest of the network
    on the chunks before.
    """

    def __init__(self, bundle: "Bundle", form: "CompiledForm", max_batch: int, threads: int | None = None) -> None:
        assert form.tables is not None
        self.name = f"openvino-{form.name}"
        self.batch_frames = max(max_batch - max_batch % _CHUNK_FRAMES_OF_ROWS, min(max_batch, _CHUNK_FRAMES_OF_ROWS))
        self._tables = ColumnTables.load(bundle.folder / form.tables)
        self._look_up = TableLookup(self._tables)
        self._graph = OpenVinoGraph(bundle, form, self._tables.shape, "f32", _CHUNK_FRAMES_OF_ROWS, threads)

    def predict(self, frames: Frames) -> NDArray[np.float32]:
        """`(N, 200, 150, 3)` to `(N, outputs)`."""
        return self.start(frames)()

    def start(self, frames: Frames) -> "PendingOutputs":
        """As `predict`, but returns while the last chunks are still running."""
        rows = rows_of_frames(frames)
        if rows is None:  # somebody's own frames
            return self._graph.start(frames, lambda part, features: np.copyto(features, self._tables.multiply(part)))
        return self.start_rows(rows)

    def start_rows(self, rows: Rows) -> "PendingOutputs":
        """Rows `(N, 200, 5)` to `(N, outputs)`; returns while the last chunks are still running."""
        return self._graph.start(rows, self._look_up)
