"""The benchmark network, an example of a user's model."""

from typing import Any

from image_render.spec import STANDARD


def benchmark_network() -> Any:
    """3×3 convolutions with batch norm and ReLU in blocks 16-16, 32-32, 64-64, 128-128-128, each closed by 2×2 max pooling, a 128 stride-2
    convolution, global average pooling, dense 1024, 1024, 3; untrained, with a fixed seed."""
    import keras

    keras.utils.set_random_seed(1)

    def convolution(x: Any, filters: int, strides: int = 1) -> Any:
        x = keras.layers.Conv2D(filters, 3, strides, padding="same", use_bias=False)(x)
        return keras.layers.ReLU()(keras.layers.BatchNormalization()(x))

    x = frame = keras.Input(STANDARD.shape)
    for block in ((16, 16), (32, 32), (64, 64), (128, 128, 128)):
        for filters in block:
            x = convolution(x, filters)
        x = keras.layers.MaxPooling2D(2)(x)
    x = keras.layers.GlobalAveragePooling2D()(convolution(x, 128, strides=2))
    x = keras.layers.Dense(1024, activation="relu")(x)
    x = keras.layers.Dense(1024, activation="relu")(x)
    return keras.Model(frame, keras.layers.Dense(3)(x), name="benchmark")
