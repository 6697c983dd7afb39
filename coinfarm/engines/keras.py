"""The Keras engine: the model as it was saved, run as one traced graph."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coinfarm.engines.quiet import without_greetings
from coinfarm.errors import ModelError
from image_render.draw import Frames, as_planes
from image_render.spec import STANDARD

if TYPE_CHECKING:
    from coinfarm.models.bundle import Bundle
    from coinfarm.models.manifest import Member


class KerasEngine:
    """Every member of a bundle, traced into one TensorFlow graph.

    Loading takes seconds (TensorFlow's import) and runs no code from the file: `safe_mode`, no compilation of losses.
    """

    name = "keras"

    def __init__(self, bundle: "Bundle", max_batch: int) -> None:
        """Raises `ModelError` for a file that Keras refuses, and for inputs or outputs that the manifest does not have."""
        self._max_batch = max_batch
        members = bundle.manifest.members
        with without_greetings():
            networks = [_load(bundle, member.file) for member in members]
            for network, member in zip(networks, members, strict=True):
                _check(network, member)
            self._forward = _trace(networks)
            self.predict(np.zeros((1, *STANDARD.shape), np.uint8))  # traced here, where the greetings of a first run are held back

    @property
    def traced(self) -> Any:
        """The concrete TensorFlow function, from planes `uint8` `(N, 3, 200, 150)` to `(N, outputs)`: what a compiler starts from."""
        return self._forward.get_concrete_function()

    def predict(self, frames: Frames) -> NDArray[np.float32]:
        """`(N, 200, 150, 3)` to `(N, outputs)`, in chunks of at most `max_batch` frames."""
        planes = np.ascontiguousarray(as_planes(frames))  # no copy where image_render drew them
        chunks = [self._forward(planes[at : at + self._max_batch]).numpy() for at in range(0, len(planes), self._max_batch)]
        return np.concatenate(chunks)


def _load(bundle: "Bundle", file: str) -> Any:
    import keras

    try:
        return keras.saving.load_model(bundle.folder / file, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises nearly anything for a file that is no model, or one that would run code
        raise ModelError(f"{file} of model {bundle.manifest.version} cannot be loaded: {error}") from error


def _trace(networks: list[Any]) -> Any:
    import tensorflow as tf

    candles, rows, channels = STANDARD.shape

    def forward(planes: Any) -> Any:
        frames = tf.transpose(tf.cast(planes, tf.float32), (0, 2, 3, 1))
        heads = [head for network in networks for head in tf.nest.flatten(network(frames, training=False))]
        return tf.concat([tf.cast(tf.reshape(head, (tf.shape(head)[0], -1)), tf.float32) for head in heads], axis=1)

    return tf.function(forward, input_signature=[tf.TensorSpec((None, channels, candles, rows), tf.uint8)], autograph=False)


def _check(network: Any, member: "Member") -> None:
    shapes = [tuple(tensor.shape) for tensor in network.inputs]
    if shapes != [(None, *STANDARD.shape)]:
        raise ModelError(f"{member.file} takes {shapes}, not frames of {(None, *STANDARD.shape)}")
    outputs = sum(int(np.prod(tensor.shape[1:])) for tensor in network.outputs)
    if outputs != len(member.outputs):
        raise ModelError(f"{member.file} has {outputs} outputs, its manifest says {len(member.outputs)}")
