"""The reference network: a frame in, the three outputs out, in `window_range` units."""

from typing import TYPE_CHECKING

from coinfarm.candles import Values
from coinfarm.training.config import NetworkConfig
from image_render.spec import STANDARD

if TYPE_CHECKING:
    import keras


def build_network(config: NetworkConfig, mean_target: Values) -> "keras.Model":
    """A Keras model from `(batch, 200, 150, 3)` to `(batch, 3)`, which at first foretells `mean_target` `(3,)` always.

    Most multiplications of such a network lie in its first layers, most parameters in its last. So the price axis shrinks
    at once, by three, and the map is flattened, not averaged: it matters when something happened.
    """
    import keras

    frame = keras.Input(STANDARD.shape, name="frame")
    x = frame
    for block, (filters, strides) in enumerate(zip(config.filters, config.strides, strict=True), start=1):
        kernel = 5 if block == 1 else 3
        x = keras.layers.Conv2D(filters, kernel, strides, padding="same", use_bias=False, name=f"conv{block}")(x)
        x = keras.layers.BatchNormalization(momentum=0.95, name=f"norm{block}")(x)
        x = keras.layers.ReLU(name=f"relu{block}")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dropout(config.dropout, name="dropout")(x)
    # Leaky, or the layer dies for whole families of frames, which then all get the same answer (seen: one frame in twenty).
    x = keras.layers.Dense(config.dense_units, activation="leaky_relu", name="dense")(x)
    outputs = keras.layers.Dense(
        len(mean_target),
        kernel_initializer=keras.initializers.RandomNormal(stddev=1e-3, seed=0),
        bias_initializer=keras.initializers.Constant(mean_target.tolist()),
        name="outputs",
    )(x)
    return keras.Model(frame, outputs, name="reference")
