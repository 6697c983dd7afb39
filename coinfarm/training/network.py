"""Keras networks from a config, with a frame as input and a model's outputs."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from coinfarm.candles.arrays import Values
from coinfarm.training.config import BlockConfig, NetworkConfig
from image_render.spec import STANDARD

if TYPE_CHECKING:
    import keras

Layer = Callable[[Any], Any]
OUTPUT_LAYER = "outputs"
"""The name of the last layer, a dense one without activation."""


def build_network(config: NetworkConfig, mean_target: Values) -> "keras.Model":
    """A Keras model from `(batch, 200, 150, 3)` to `(batch, outputs)` whose initial predictions are `mean_target` `(outputs,)`.

    The feature map is flattened, not averaged, before the dense layers, because the position in time matters.
    """
    import keras

    frame = keras.Input(STANDARD.shape, name="frame")
    x = frame
    if config.view == "columns":
        candles, rows, channels = STANDARD.shape
        x = keras.layers.Reshape((candles, rows * channels), name="columns")(x)
    for number, block in enumerate(config.blocks, start=1):
        x = _block(x, block, number, config.view)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dropout(config.dropout, name="dropout")(x)
    # Leaky ReLU: with plain ReLU all units died for one frame in twenty, and those frames had the same prediction.
    x = keras.layers.Dense(config.dense_units, activation="leaky_relu", name="dense")(x)
    outputs = keras.layers.Dense(
        len(mean_target),
        kernel_initializer=keras.initializers.RandomNormal(stddev=1e-3, seed=0),
        bias_initializer=keras.initializers.Constant(mean_target.tolist()),
        dtype="float32",  # even if the other layers use half precision
        name=OUTPUT_LAYER,
    )(x)
    return keras.Model(frame, outputs, name="network")


def _block(x: Any, block: BlockConfig, number: int, view: str) -> Any:
    """`(batch, candles, …, channels)` to `(batch, candles / strides / pool, …, filters)`."""
    import keras

    start = x
    for layer in _along_candles(block, number) if view == "columns" else _over_image(block, number):
        x = layer(x)
    x = keras.layers.BatchNormalization(momentum=0.95, name=f"norm{number}")(x)
    if block.residual:
        x = keras.layers.Add(name=f"add{number}")([start, x])
    x = keras.layers.ReLU(name=f"relu{number}")(x)
    if block.pool is not None:
        x = (keras.layers.MaxPooling1D(block.pool[0]) if view == "columns" else keras.layers.MaxPooling2D(block.pool))(x)
    if block.attention_heads is not None:
        heads = block.attention_heads
        attended = keras.layers.MultiHeadAttention(heads, block.filters // heads, name=f"attention{number}")(x, x)
        x = keras.layers.Add(name=f"attention_add{number}")([x, attended])
        x = keras.layers.LayerNormalization(name=f"attention_norm{number}")(x)
    return x


def _over_image(block: BlockConfig, number: int) -> list[Layer]:
    import keras

    sizes = {"kernel_size": block.kernel, "strides": block.strides, "dilation_rate": (block.dilation, 1), "padding": "same"}
    if not block.separable:
        return [keras.layers.Conv2D(block.filters, use_bias=False, name=f"conv{number}", **sizes)]
    return [
        keras.layers.DepthwiseConv2D(use_bias=False, name=f"depthwise{number}", **sizes),
        keras.layers.Conv2D(block.filters, 1, use_bias=False, name=f"conv{number}"),
    ]


def _along_candles(block: BlockConfig, number: int) -> list[Layer]:
    import keras

    kernel, strides = block.kernel[0], block.strides[0]
    return [
        keras.layers.Conv1D(
            block.filters, kernel, strides, dilation_rate=block.dilation, padding="same", use_bias=False, name=f"conv{number}"
        )
    ]
