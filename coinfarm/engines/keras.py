"""The Keras engine: runs the saved model as one traced graph."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coinfarm.engines.frame_independence import check_independence
from coinfarm.engines.keras_files import load_networks
from coinfarm.engines.startup_logs import suppress_startup_logs
from coinfarm.errors import ModelError
from image_render.render import Frames, as_planes
from image_render.spec import STANDARD

if TYPE_CHECKING:
    from coinfarm.models.bundle import Bundle


class KerasEngine:
    """Every member of a bundle, traced into one TensorFlow graph.

    Loading takes seconds (TensorFlow's import) and runs no code from the file: `safe_mode` is on and losses are not compiled.
    """

    name = "keras"

    def __init__(self, bundle: "Bundle", max_batch: int) -> None:
        """Raises as `load_networks` and `check_independence`, and `ModelError` if Keras runs on another backend."""
        self._max_batch = max_batch
        with suppress_startup_logs():
            _check_backend()
            self._forward = _trace(load_networks(bundle))
            check_independence(self.predict, bundle.manifest.version)  # traces here, where startup logs are suppressed

    @property
    def traced(self) -> Any:
        """The concrete TensorFlow function from planes `uint8` `(N, 3, 200, 150)` to `(N, outputs)`, as input of the compiler."""
        return self._forward.get_concrete_function()

    def predict(self, frames: Frames) -> NDArray[np.float32]:
        """`(N, 200, 150, 3)` to `(N, outputs)`, in chunks of at most `max_batch` frames."""
        planes = np.ascontiguousarray(as_planes(frames))  # no copy if image_render rendered them
        chunks = [self._forward(planes[at : at + self._max_batch]).numpy() for at in range(0, len(planes), self._max_batch)]
        return np.concatenate(chunks)


def _check_backend() -> None:
    import keras

    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise ModelError(f"engine keras needs TensorFlow, but Keras runs on {backend}: unset KERAS_BACKEND, or choose another engine")


def _trace(networks: list[Any]) -> Any:
    import tensorflow as tf

    candles, rows, channels = STANDARD.shape

    def forward(planes: Any) -> Any:
        frames = tf.transpose(tf.cast(planes, tf.float32), (0, 2, 3, 1))
        heads = [head for network in networks for head in tf.nest.flatten(network(frames, training=False))]
        return tf.concat([tf.cast(tf.reshape(head, (tf.shape(head)[0], -1)), tf.float32) for head in heads], axis=1)

    return tf.function(forward, input_signature=[tf.TensorSpec((None, channels, candles, rows), tf.uint8)], autograph=False)
