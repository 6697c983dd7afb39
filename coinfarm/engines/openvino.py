"""The compiled engine: OpenVINO runs one graph from `uint8` frames to all outputs on all cores."""

from collections import deque
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coinfarm.engines.openvino_import import import_openvino
from coinfarm.errors import ModelError
from image_render.render import Frames, as_planes
from image_render.spec import STANDARD

if TYPE_CHECKING:
    from coinfarm.engines.engine import PendingOutputs
    from coinfarm.models.bundle import Bundle
    from coinfarm.models.compiled_form import CompiledForm

_CHUNK_FRAMES = 4
"""Small enough that activations stay in a core's cache, large enough to hide the cost of a call: with one frame it is 15 % slower, with a
hundred half as fast."""
_REQUESTS_PER_STREAM = 2
"""One running and one queued."""


class OpenVinoEngine:
    """A compiled form of a bundle; loads neither TensorFlow nor Keras.

    It is compiled for two static shapes: for a single frame, all cores work on it together (lowest latency); for many frames, each core
    processes a few at a time (highest throughput).
    """

    def __init__(self, bundle: "Bundle", form: "CompiledForm") -> None:
        """Raises `ModelError` for a file that OpenVINO cannot load, and for inputs or outputs that differ from the manifest."""
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
        self._requests = deque(_Request(chunk.create_infer_request()) for _ in range(request_count))  # least recently started first

    def predict(self, frames: Frames) -> NDArray[np.float32]:
        """`(N, 200, 150, 3)` to `(N, outputs)`; frames from image_render are read without a copy."""
        return self.start(frames)()

    def start(self, frames: Frames) -> "PendingOutputs":
        """As `predict`, but returns while the last chunks are still running."""
        planes = np.ascontiguousarray(as_planes(frames))
        outputs = np.empty((len(planes), self._output_count), np.float32)
        in_chunks = len(planes) - len(planes) % _CHUNK_FRAMES
        parts = [slice(at, at + _CHUNK_FRAMES) for at in range(0, in_chunks, _CHUNK_FRAMES)]
        with self._lock:  # one call at a time uses all cores
            chunks = [self._start_chunk(planes[part], outputs[part]) for part in parts]

        def finish() -> NDArray[np.float32]:
            for chunk in chunks:
                chunk.wait()
            for chunk in chunks:  # only after all have finished
                if chunk.error is not None:
                    raise chunk.error
            with self._lock:
                for at in range(in_chunks, len(planes)):
                    self._single.infer({0: planes[at : at + 1]}, share_inputs=True)
                    outputs[at] = self._single.get_output_tensor().data[0]
            return outputs

        return finish

    def _start_chunk(self, planes: Frames, target: NDArray[np.float32]) -> "_Chunk":
        """Start a chunk on the request that will be free next."""
        request = self._requests.popleft()
        self._requests.append(request)
        return request.start(planes, target)


class _Request:
    """An infer request of the chunk graph, and the last chunk that was started on it."""

    def __init__(self, request: Any) -> None:
        self._request = request
        self._last: _Chunk | None = None

    def start(self, planes: Frames, target: NDArray[np.float32]) -> "_Chunk":
        """Wait for the last chunk, then start one of `_CHUNK_FRAMES` frames; its outputs are written to `target`."""
        if self._last is not None:
            self._last.wait()
        self._last = _Chunk(self._request, planes, target)
        return self._last


class _Chunk:
    """A few frames that OpenVINO is processing."""

    def __init__(self, request: Any, planes: Frames, target: NDArray[np.float32]) -> None:
        self.error: RuntimeError | None = None
        self._request = request
        self._target = target
        self._is_done = False
        self._lock = Lock()
        request.start_async({0: planes}, share_inputs=True)

    def wait(self) -> None:
        """Wait for the outputs and store them, or the error. Called by the reader of the outputs and by the next chunk on the request."""
        with self._lock:
            if self._is_done:
                return
            try:
                self._request.wait()
                self._target[:] = self._request.get_output_tensor().data
            except RuntimeError as error:
                self.error = error
            self._is_done = True


def _compiled(core: Any, graph: Any, frame_count: int, precision: str, hint: str) -> Any:
    candles, rows, channels = STANDARD.shape
    graph.reshape([frame_count, channels, candles, rows])
    options: dict[str, str | bool] = {"PERFORMANCE_HINT": hint, "INFERENCE_PRECISION_HINT": precision}
    if hint == "LATENCY":  # pinning moves the calling thread to a core, where it may wait for others while another core is idle
        options["ENABLE_CPU_PINNING"] = False
    return core.compile_model(graph, "CPU", options)


def _check(compiled: Any, file: str, output_count: int) -> None:
    candles, rows, channels = STANDARD.shape
    expected = [("u8", (1, channels, candles, rows))]
    inputs = [(str(port.element_type.to_string()), tuple(port.shape)) for port in compiled.inputs]
    if inputs != expected:
        raise ModelError(f"{file} has inputs {inputs} instead of {expected}")
    outputs = [tuple(port.shape) for port in compiled.outputs]
    if outputs != [(1, output_count)]:
        raise ModelError(f"{file} has outputs {outputs}, but the manifest lists {output_count} per frame")
