"""Keras networks from a config, with a frame as input and the three outputs."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from coinfarm.candles.arrays import Values
from coinfarm.training.config import BlockConfig, NetworkConfig
from image_render.spec import STANDARD

if TYPE_CHECKING:
    import keras

Layer = Callable[[Any], Any]


def build_network(config: NetworkConfig, mean_target: Values) -> "keras.Model":
    """A Keras model from `(batch, 200, 150, 3)` to `(batch, 3)` whose initial predictions are `mean_target` `(3,)`.

    The feature map is flattened, not averaged, before the dense layers, because the position in time matters.
    """
    import keras

    frame = keras.Input(STANDARD.shape, name="frame")
    x = frame
    if config.view == "columns":
        candles, rows, channels = STANDARD.shape
        x = keras.layers.Reshape((candles, rows * channels), name="columns")(x)
    for number, block in enumerate(config.blocks, start=1):
        x = _block(block, str(number), config.view)(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dropout(config.dropout, name="dropout")(x)
    # Leaky ReLU: with plain ReLU all units died for one frame in twenty, and those frames had the same prediction.
    x = keras.layers.Dense(config.dense_units, activation="leaky_relu", name="dense")(x)
    outputs = keras.layers.Dense(
        len(mean_target),
        kernel_initializer=keras.initializers.RandomNormal(stddev=1e-3, seed=0),
        bias_initializer=keras.initializers.Constant(mean_target.tolist()),
        dtype="float32",  # even if the other layers use half precision
        name="outputs",
    )(x)
    return keras.Model(frame, outputs, name="network")


def _block(block: BlockConfig, number: str, view: str) -> Layer:
    """Convolution, batch normalisation, ReLU, and max pooling if the config sets it."""
    import keras

    steps: list[Layer] = [
        *(_along_candles(block, number) if view == "columns" else _over_image(block, number)),
        keras.layers.BatchNormalization(momentum=0.95, name=f"norm{number}"),
        keras.layers.ReLU(name=f"relu{number}"),
    ]
    if block.pool is not None:
        pooling = keras.layers.MaxPooling1D(block.pool[0]) if view == "columns" else keras.layers.MaxPooling2D(block.pool)
        steps.append(pooling)

    def apply(x: Any) -> Any:
        for step in steps:
            x = step(x)
        return x

    return apply


def _over_image(block: BlockConfig, number: str) -> list[Layer]:
    import keras

    if not block.separable:
        return [
            keras.layers.Conv2D(block.filters, block.kernel, block.strides, padding="same", use_bias=False, name=f"conv{number}"),
        ]
    return [
        keras.layers.DepthwiseConv2D(block.kernel, block.strides, padding="same", use_bias=False, name=f"depthwise{number}"),
        keras.layers.Conv2D(block.filters, 1, use_bias=False, name=f"conv{number}"),
    ]


def _along_candles(block: BlockConfig, number: str) -> list[Layer]:
    import keras

    return [keras.layers.Conv1D(block.filters, block.kernel[0], block.strides[0], padding="same", use_bias=False, name=f"conv{number}")]
