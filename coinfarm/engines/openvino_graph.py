"""A graph that OpenVINO runs on all cores: one frame on all of them together, or chunks of frames on one core each."""

from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coinfarm.engines.openvino_import import cause, import_openvino
from coinfarm.errors import ModelError

if TYPE_CHECKING:
    from coinfarm.engines.engine import PendingOutputs
    from coinfarm.models.bundle import Bundle
    from coinfarm.models.compiled_form import CompiledForm

Inputs = NDArray[Any]
Fill = Callable[[Inputs, Inputs], object]
"""Computes the graph's input from a part of a batch, and fills a buffer with it."""

_REQUESTS_PER_STREAM = 2
"""One running and one queued."""


class OpenVinoGraph:
    """A graph compiled for two static shapes: for a single frame, all cores work on it together (lowest latency); for many frames, each
    core processes a chunk at a time (highest throughput). Thread-safe.
    """

    def __init__(
        self,
        bundle: "Bundle",
        form: "CompiledForm",
        shape: tuple[int, ...],
        element_type: str,
        chunk_frames: int,
        threads: int | None = None,
    ) -> None:
        """`shape` and `element_type` are those of the input of one frame; `threads` is None for all cores of the machine.

        Raises `ModelError` for a file that OpenVINO cannot load, and for other inputs and outputs.
        """
        outputs = len(bundle.manifest.outputs)
        self._output_count = outputs
        self._chunk_frames = chunk_frames
        self._lock = Lock()
        core = import_openvino().Core()
        try:
            graph = core.read_model(bundle.folder / form.file)
            single = _compiled(core, graph, (1, *shape), form.precision, "LATENCY", threads)
            chunk = _compiled(core, graph, (chunk_frames, *shape), form.precision, "THROUGHPUT", threads)
        except RuntimeError as error:
            raise ModelError(f"{form.file} of model {bundle.manifest.version} cannot be loaded: {cause(error)}") from error
        _check(single, form.file, (element_type, (1, *shape)), outputs)
        dtype = single.inputs[0].element_type.to_dtype()
        self._single = _Request(single.create_infer_request(), np.empty((1, *shape), dtype))
        request_count = _REQUESTS_PER_STREAM * chunk.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
        # least recently started first
        self._requests = deque(
            _Request(chunk.create_infer_request(), np.empty((chunk_frames, *shape), dtype)) for _ in range(request_count)
        )

    def start(self, batch: Inputs, fill: Fill | None = None) -> "PendingOutputs":
        """Start to predict a batch; returns while the last chunks are still running. Without `fill` the batch is the graph's input. `fill`
        is called by one thread at a time.
        """
        outputs = np.empty((len(batch), self._output_count), np.float32)
        in_chunks = len(batch) - len(batch) % self._chunk_frames
        parts = [slice(at, at + self._chunk_frames) for at in range(0, in_chunks, self._chunk_frames)]
        with self._lock:  # one call at a time uses all cores
            chunks = [self._start_chunk(batch[part], fill, outputs[part]) for part in parts]

        def finish() -> NDArray[np.float32]:
            for chunk in chunks:
                chunk.wait()
            for chunk in chunks:  # only after all have finished
                if chunk.error is not None:
                    raise chunk.error
            with self._lock:
                for at in range(in_chunks, len(batch)):
                    self._single.infer(batch[at : at + 1], fill, outputs[at : at + 1])
            return outputs

        return finish

    def _start_chunk(self, part: Inputs, fill: Fill | None, target: NDArray[np.float32]) -> "_Chunk":
        """Start a chunk on the request that will be free next."""
        request = self._requests.popleft()
        self._requests.append(request)
        return request.start(part, fill, target)


class _Request:
    """An infer request, a buffer for its input, and the last chunk that was started on it."""

    def __init__(self, request: Any, buffer: Inputs) -> None:
        self._request = request
        self._buffer = buffer
        self._has_buffer = False
        self._last: _Chunk | None = None

    def start(self, part: Inputs, fill: Fill | None, target: NDArray[np.float32]) -> "_Chunk":
        """Wait for the last chunk, then start the next; its outputs are written to `target`."""
        if self._last is not None:
            self._last.wait()
        self._last = _Chunk(self._request, self._inputs(part, fill), target)
        return self._last

    def infer(self, part: Inputs, fill: Fill | None, target: NDArray[np.float32]) -> None:
        """Run on this thread."""
        self._request.infer(self._inputs(part, fill), share_inputs=True)
        target[:] = self._request.get_output_tensor().data

    def _inputs(self, part: Inputs, fill: Fill | None) -> dict[int, Inputs] | None:
        """The inputs to pass: none if they are in the buffer, because OpenVINO takes 20 microseconds to check an array."""
        if fill is None:
            self._has_buffer = False
            return {0: part}
        fill(part, self._buffer)
        if not self._has_buffer:
            self._request.set_input_tensor(import_openvino().Tensor(self._buffer, shared_memory=True))
            self._has_buffer = True
        return None


class _Chunk:
    """A few frames that OpenVINO is processing."""

    def __init__(self, request: Any, inputs: dict[int, Inputs] | None, target: NDArray[np.float32]) -> None:
        self.error: RuntimeError | None = None
        self._request = request
        self._target = target
        self._is_done = False
        self._lock = Lock()
        request.start_async(inputs, share_inputs=True)

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


def _compiled(core: Any, graph: Any, shape: tuple[int, ...], precision: str, hint: str, threads: int | None) -> Any:
    graph.reshape(list(shape))
    options: dict[str, str | bool | int] = {"PERFORMANCE_HINT": hint, "INFERENCE_PRECISION_HINT": precision}
    if hint == "LATENCY":  # pinning moves the calling thread to a core, where it may wait for others while another core is idle
        options["ENABLE_CPU_PINNING"] = False
    if threads is not None:  # without pinning, because all processes with a limit would choose the same cores
        options |= {"INFERENCE_NUM_THREADS": threads, "ENABLE_CPU_PINNING": False}
    return core.compile_model(graph, "CPU", options)


def _check(compiled: Any, file: str, expected: tuple[str, tuple[int, ...]], output_count: int) -> None:
    inputs = [(str(port.element_type.to_string()), tuple(port.shape)) for port in compiled.inputs]
    if inputs != [expected]:
        raise ModelError(f"{file} has inputs {inputs} instead of {[expected]}")
    outputs = [tuple(port.shape) for port in compiled.outputs]
    if outputs != [(1, output_count)]:
        raise ModelError(f"{file} has outputs {outputs}, but the manifest lists {output_count} per frame")
