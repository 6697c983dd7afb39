"""The compiled engine: one graph from `uint8` frames to all outputs, run by OpenVINO on every core."""

from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coinfarm.engines.quiet_openvino import import_openvino
from coinfarm.errors import ModelError
from image_render.draw import Frames, as_planes
from image_render.spec import STANDARD

if TYPE_CHECKING:
    from coinfarm.models.bundle import Bundle
    from coinfarm.models.manifest import CompiledForm

_CHUNK_FRAMES = 4
"""So few that what flows from layer to layer stays in a core's cache, so many that the call costs nothing: with one frame at a time
it is 15 % slower, with a hundred half as fast."""
_JOBS_PER_STREAM = 2
"""One at work, and one waiting for when it is done."""


class OpenVinoEngine:
    """A compiled form of a bundle; neither TensorFlow nor Keras is loaded.

    It is compiled for two static shapes. A frame alone is shared by all cores, so that its answer is there soonest; of many frames
    each core takes a few at a time.
    """

    def __init__(self, bundle: "Bundle", form: "CompiledForm") -> None:
        """Raises `ModelError` for a file that OpenVINO refuses, and for inputs or outputs that the manifest does not have."""
        self.name = f"openvino-{form.name}"
        self._output_count = len(bundle.manifest.outputs)
        self._lock = Lock()
        openvino = import_openvino()
        core = openvino.Core()
        try:
            graph = core.read_model(bundle.folder / form.file)
            single = _compiled(core, graph, 1, form.precision, "LATENCY")
            chunk = _compiled(core, graph, _CHUNK_FRAMES, form.precision, "THROUGHPUT")
        except RuntimeError as error:
            raise ModelError(f"{form.file} of model {bundle.manifest.version} cannot be loaded: {error}") from error
        _check(single, form.file, self._output_count)
        self._single = single.create_infer_request()
        self._chunks = openvino.AsyncInferQueue(chunk, _JOBS_PER_STREAM * chunk.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        self._chunks.set_callback(_keep)

    def predict(self, frames: Frames) -> NDArray[np.float32]:
        """`(N, 200, 150, 3)` to `(N, outputs)`; frames that image_render drew are read where they lie."""
        planes = np.ascontiguousarray(as_planes(frames))
        outputs = np.empty((len(planes), self._output_count), np.float32)
        in_chunks = len(planes) - len(planes) % _CHUNK_FRAMES
        with self._lock:  # one call at a time has all the cores
            for at in range(0, in_chunks, _CHUNK_FRAMES):
                part = slice(at, at + _CHUNK_FRAMES)
                self._chunks.start_async({0: planes[part]}, outputs[part], share_inputs=True)
            self._chunks.wait_all()
            for at in range(in_chunks, len(planes)):
                self._single.infer({0: planes[at : at + 1]}, share_inputs=True)
                outputs[at] = self._single.get_output_tensor().data[0]
        return outputs


def _keep(request: Any, room: NDArray[np.float32]) -> None:
    room[:] = request.get_output_tensor().data


def _compiled(core: Any, graph: Any, frame_count: int, precision: str, aim: str) -> Any:
    candles, rows, channels = STANDARD.shape
    graph.reshape([frame_count, channels, candles, rows])
    return core.compile_model(graph, "CPU", {"PERFORMANCE_HINT": aim, "INFERENCE_PRECISION_HINT": precision})


def _check(compiled: Any, file: str, output_count: int) -> None:
    candles, rows, channels = STANDARD.shape
    taken = [(str(port.element_type.to_string()), tuple(port.shape)) for port in compiled.inputs]
    if taken != [("u8", (1, channels, candles, rows))]:
        raise ModelError(f"{file} takes {taken}, not planes of {STANDARD.shape}")
    given = [tuple(port.shape) for port in compiled.outputs]
    if given != [(1, output_count)]:
        raise ModelError(f"{file} puts out {given}, its manifest says {output_count} numbers a frame")
