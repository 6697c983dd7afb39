"""The Keras engine for a GPU: frames are transferred as row numbers, rendered on the device, and predicted in mixed precision.

A first layer that is linear in single candles is looked up in tables instead.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from coinfarm.engines.backends import DeviceKind, open_device
from coinfarm.engines.batch_size import best_batch_size
from coinfarm.engines.keras_columns import SplitNetwork, split_network
from coinfarm.engines.keras_files import load_networks
from coinfarm.engines.startup_logs import suppress_startup_logs
from image_render.render import Frames, as_planes
from image_render.rows import Rows, empty_rows
from image_render.spec import STANDARD

if TYPE_CHECKING:
    from coinfarm.engines.engine import PendingOutputs
    from coinfarm.models.bundle import Bundle

Precision = Literal["bf16", "f16", "f32"]
_POLICIES: dict[Precision, str] = {"bf16": "mixed_bfloat16", "f16": "mixed_float16", "f32": "float32"}
_BATCHES = (1, 4, 16, 64, 256, 1024, 4096)
"""The compiled batch sizes; other batches are padded with empty frames."""
_MAX_ON_CPU = 16
"""A CPU reports no memory limit, and is not faster with larger batches."""
_TRIALS = 3


class KerasGpuEngine:
    """Every member of a bundle, compiled for one device of Keras' backend. Weights and outputs are float32."""

    def __init__(self, bundle: "Bundle", device: DeviceKind = "gpu", precision: Precision | None = None) -> None:
        """`precision` is that of the inner layers; by default the fastest of the device. Loading takes a minute, because every batch
        size is compiled.

        Raises as `load_networks`, and `ModelError` if Keras' backend has no such device.
        """
        self._output_count = len(bundle.manifest.outputs)
        with suppress_startup_logs():
            import keras

            opened = open_device(device)
            self.precision: Precision = precision or ("bf16" if opened.has_fast_bfloat16 else "f16")
            with keras.device(f"{device}:0"):
                networks = load_networks(bundle)
                split = [split_network(network) or network for network in networks]
            for network in networks:
                _set_precision(network, _POLICIES[self.precision])
            self.name = f"keras-{device}-{self.precision}"
            self.description = opened.description
            rests = [each.rest if isinstance(each, SplitNetwork) else each for each in split]
            self._run_rows = opened.compile(partial(_forward_rows, split), rests)
            self._run_planes = opened.compile(_forward_planes, networks)
            sizes = _BATCHES if device == "gpu" else tuple(size for size in _BATCHES if size <= _MAX_ON_CPU)
            self.batch_frames = best_batch_size(sizes, self._seconds_of, opened.memory)

    def predict(self, frames: Frames) -> NDArray[np.float32]:
        """`(N, 200, 150, 3)` to `(N, outputs)`; the pixels are transferred to the device."""
        return self.start(frames)()

    def start(self, frames: Frames) -> "PendingOutputs":
        """As `predict`, but asynchronously."""
        return self._start(np.ascontiguousarray(as_planes(frames)), self._run_planes)

    def start_rows(self, rows: Rows) -> "PendingOutputs":
        """Rows `(N, 200, 5)` to `(N, outputs)`; the device renders, or looks the first layer up."""
        return self._start(rows, self._run_rows)

    def _start(self, batch: NDArray[np.uint8], run: Callable[[NDArray[np.uint8]], Any]) -> "PendingOutputs":
        parts = [batch[at : at + self.batch_frames] for at in range(0, len(batch), self.batch_frames)]
        results = [run(_padded(part)) for part in parts]

        def finish() -> NDArray[np.float32]:
            outputs = np.empty((len(batch), self._output_count), np.float32)
            for at, result in zip(range(0, len(batch), self.batch_frames), results, strict=True):
                target = outputs[at : at + self.batch_frames]
                target[:] = np.asarray(result)[: len(target)]
            return outputs

        return finish

    def _seconds_of(self, size: int) -> float:
        """The duration of a compiled batch of `size` frames."""
        rows = empty_rows(size)
        rows[:] = 0
        np.asarray(self._run_rows(rows))
        seconds = []
        for _ in range(_TRIALS):
            started = time.perf_counter()
            np.asarray(self._run_rows(rows))
            seconds.append(time.perf_counter() - started)
        return min(seconds)


def render_rows(rows: Any, price_rows: int = STANDARD.price_rows) -> Any:
    """Render rows `(N, candles, 5)`, a `uint8` tensor, as frames `(N, candles, price_rows, 3)`, identical to those of `render_frames`."""
    from keras import ops

    body_low, body_high, wick_low, wick_high, volume_height = (rows[:, :, number, None] for number in range(5))
    row = ops.convert_to_tensor(np.arange(price_rows, dtype=np.uint8))
    body = ops.logical_and(body_low <= row, row <= body_high)
    wick = ops.logical_and(wick_low <= row, row <= wick_high)
    return ops.cast(ops.stack([body, wick, row < volume_height], axis=-1), "uint8")


def _forward_rows(split: "list[Any | SplitNetwork]", networks: list[Callable[[Any], Any]], rows: Any) -> Any:
    """Rows `(N, 200, 5)` to `(N, outputs)`."""
    from keras import ops

    frames = None if all(isinstance(each, SplitNetwork) for each in split) else ops.cast(render_rows(rows), "float32")
    inputs = [each.look_up(rows) if isinstance(each, SplitNetwork) else frames for each in split]
    return _joined([network(each) for network, each in zip(networks, inputs, strict=True)], rows.shape[0])


def _forward_planes(networks: list[Callable[[Any], Any]], planes: Any) -> Any:
    """Planes `(N, 3, 200, 150)` to `(N, outputs)`."""
    from keras import ops

    frames = ops.cast(ops.transpose(planes, (0, 2, 3, 1)), "float32")
    return _joined([network(frames) for network in networks], planes.shape[0])


def _joined(outputs: list[Any], count: int) -> Any:
    """The outputs of all networks, `(N, outputs)`."""
    import keras
    from keras import ops

    return ops.concatenate([ops.cast(ops.reshape(head, (count, -1)), "float32") for head in keras.tree.flatten(outputs)], axis=1)


def _set_precision(network: Any, policy: str) -> None:
    """Set the precision of all layers except the output layers, which are cheap and would lose digits."""
    outputs = {id(tensor._keras_history.operation) for tensor in network.outputs}
    for layer in network._flatten_layers(include_self=False):
        if id(layer) not in outputs:
            layer.dtype_policy = policy


def _padded(batch: NDArray[np.uint8]) -> NDArray[np.uint8]:
    size = next(size for size in _BATCHES if size >= len(batch))
    if size == len(batch):
        return batch
    return np.concatenate([batch, np.zeros((size - len(batch), *batch.shape[1:]), np.uint8)])
