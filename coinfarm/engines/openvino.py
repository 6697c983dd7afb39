"""The compiled engine: one graph from `uint8` frames to all outputs, run by OpenVINO on every core."""

from collections import deque
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coinfarm.engines.openvino_import import import_openvino
from coinfarm.errors import ModelError
from image_render.draw import Frames, as_planes
from image_render.spec import STANDARD

if TYPE_CHECKING:
    from coinfarm.engines.engine import Pending
    from coinfarm.models.bundle import Bundle
    from coinfarm.models.compiled_form import CompiledForm

_CHUNK_FRAMES = 4
"""So few that what flows from layer to layer stays in a core's cache, so many that the call costs nothing: with one frame at a time
it is 15 % slower, with a hundred half as fast."""
_REQUESTS_PER_STREAM = 2
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
        core = import_openvino().Core()
        try:
            graph = core.read_model(bundle.folder / form.file)
            single = _compiled(core, graph, 1, form.precision, "LATENCY")
            chunk = _compiled(core, graph, _CHUNK_FRAMES, form.precision, "THROUGHPUT")
        except RuntimeError as error:
            raise ModelError(f"{form.file} of model {bundle.manifest.version} cannot be loaded: {error}") from error
        _check(single, form.file, self._output_count)
        self._single = single.create_infer_request()
        request_count = _REQUESTS_PER_STREAM * chunk.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
        self._requests = deque(_Request(chunk.create_infer_request()) for _ in range(request_count))  # the longest at work first

    def predict(self, frames: Frames) -> NDArray[np.float32]:
        """`(N, 200, 150, 3)` to `(N, outputs)`; frames that image_render drew are read where they lie."""
        return self.start(frames)()

    def start(self, frames: Frames) -> "Pending":
        """As `predict`, but returns while the last few frames are still at work."""
        planes = np.ascontiguousarray(as_planes(frames))
        outputs = np.empty((len(planes), self._output_count), np.float32)
        in_chunks = len(planes) - len(planes) % _CHUNK_FRAMES
        parts = [slice(at, at + _CHUNK_FRAMES) for at in range(0, in_chunks, _CHUNK_FRAMES)]
        with self._lock:  # one call at a time has all the cores
            chunks = [self._begin(planes[part], outputs[part]) for part in parts]

        def finish() -> NDArray[np.float32]:
            for chunk in chunks:
                chunk.settle()
            for chunk in chunks:  # when none is at work any more
                if chunk.error is not None:
                    raise chunk.error
            with self._lock:
                for at in range(in_chunks, len(planes)):
                    self._single.infer({0: planes[at : at + 1]}, share_inputs=True)
                    outputs[at] = self._single.get_output_tensor().data[0]
            return outputs

        return finish

    def _begin(self, planes: Frames, room: NDArray[np.float32]) -> "_Chunk":
        """Have the next request to be free work on a few frames."""
        request = self._requests.popleft()
        self._requests.append(request)
        return request.begin(planes, room)


class _Request:
    """An infer request of the chunks' graph, and the chunk that it is at work on or has done last."""

    def __init__(self, request: Any) -> None:
        self._request = request
        self._last: _Chunk | None = None

    def begin(self, planes: Frames, room: NDArray[np.float32]) -> "_Chunk":
        """Once the last chunk is settled, begin one of `_CHUNK_FRAMES` frames, whose outputs `room` is for."""
        if self._last is not None:
            self._last.settle()
        self._last = _Chunk(self._request, planes, room)
        return self._last


class _Chunk:
    """A few frames at work."""

    def __init__(self, request: Any, planes: Frames, room: NDArray[np.float32]) -> None:
        self.error: RuntimeError | None = None
        self._request = request
        self._room = room
        self._settled = False
        self._settling = Lock()
        request.start_async({0: planes}, share_inputs=True)

    def settle(self) -> None:
        """Wait for the outputs, and keep them, or the error. Whoever comes first does it: who asked, or who needs the request."""
        with self._settling:
            if self._settled:
                return
            try:
                self._request.wait()
                self._room[:] = self._request.get_output_tensor().data
            except RuntimeError as error:
                self.error = error
            self._settled = True


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
