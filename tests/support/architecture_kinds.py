"""Models of well-known architectures, small."""

from typing import Any

from tests.support.model_kinds import FRAME, ModelKind, kinds, on_frames, on_image, on_series

_APPLICATIONS: dict[str, dict[str, Any]] = {
    "MobileNet": {"alpha": 0.25},
    "MobileNetV2": {"alpha": 0.35},
    "MobileNetV3Small": {},
    "MobileNetV3Large": {},
    "NASNetMobile": {},
    "VGG16": {},
    "ResNet50": {},
    "ResNet50V2": {},
    "DenseNet121": {},
    "InceptionV3": {},
    "InceptionResNetV2": {},
    "Xception": {},
    "EfficientNetB0": {},
    "EfficientNetV2B0": {},
    "ConvNeXtTiny": {},
}
"""Networks of keras.applications, and their options."""


def _residual(keras: Any, x: Any) -> Any:
    """A residual block with batch normalisation."""
    layers = keras.layers
    y = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same", use_bias=False)(x)))
    return layers.ReLU()(layers.Add()([x, layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same", use_bias=False)(y))]))


def _dense_block(keras: Any, x: Any) -> Any:
    for _ in range(3):
        x = keras.layers.Concatenate()([x, keras.layers.Conv2D(4, 3, padding="same", activation="relu")(x)])
    return x


def _inception(keras: Any, x: Any) -> Any:
    """Kernels of three sizes and a pooling, side by side."""
    layers = keras.layers
    branches = [layers.Conv2D(4, size, padding="same", activation="relu")(x) for size in (1, 3, 5)]
    return layers.Concatenate()([*branches, layers.Conv2D(4, 1)(layers.MaxPooling2D(3, 1, padding="same")(x))])


def _squeeze_and_excitation(keras: Any, x: Any) -> Any:
    """Channels weighted by their own means."""
    layers = keras.layers
    weights = layers.Dense(8, "sigmoid")(layers.Dense(2, "relu")(layers.GlobalAveragePooling2D(keepdims=True)(x)))
    return layers.Multiply()([x, weights])


def _inverted_bottleneck(keras: Any, x: Any) -> Any:
    """As in MobileNetV2."""
    layers = keras.layers
    y = layers.Activation("relu6")(layers.BatchNormalization()(layers.Conv2D(24, 1)(x)))
    y = layers.Activation("relu6")(layers.BatchNormalization()(layers.DepthwiseConv2D(3, padding="same")(y)))
    return layers.Add()([x, layers.Conv2D(8, 1)(y)])


def _convnext(keras: Any, x: Any) -> Any:
    layers = keras.layers
    y = layers.LayerNormalization()(layers.DepthwiseConv2D(7, padding="same")(x))
    return layers.Add()([x, layers.Dense(8)(layers.Dense(32, "gelu")(y))])


def _u_net(keras: Any, x: Any) -> Any:
    layers = keras.layers
    down = layers.Conv2D(8, 3, 2, padding="same", activation="relu")(layers.Cropping2D(((0, 0), (0, 1)))(x))
    up = layers.Conv2DTranspose(8, 2, 2)(down)
    return layers.Conv2D(4, 3)(layers.Concatenate()([up, x[:, :, :-1]]))


def _temporal(keras: Any, x: Any) -> Any:
    """Causal, dilated and residual convolutions (TCN)."""
    for rate in (1, 2, 4, 8):
        x = keras.layers.Add()([x, keras.layers.Conv1D(8, 3, padding="causal", dilation_rate=rate, activation="relu")(x)])
    return x


def _wavenet(keras: Any, x: Any) -> Any:
    """Gated, dilated convolutions."""
    for rate in (1, 2, 4):
        signal, gate = (keras.layers.Conv1D(8, 2, padding="causal", dilation_rate=rate, activation=name)(x) for name in ("tanh", "sigmoid"))
        x = x + keras.layers.Conv1D(8, 1)(signal * gate)
    return x


def _transformer(keras: Any, x: Any) -> Any:
    """An encoder block with the position embedded."""
    layers = keras.layers
    x = x + layers.Embedding(x.shape[1], 8)(keras.ops.arange(x.shape[1]))
    y = layers.LayerNormalization()(x)
    x = x + layers.Dropout(0.1)(layers.MultiHeadAttention(2, 4)(y, y))
    return layers.GlobalAveragePooling1D()(x + layers.Dense(8)(layers.Dense(32, "gelu")(layers.LayerNormalization()(x))))


def _vision_transformer(keras: Any, x: Any) -> Any:
    """A transformer of patches of 25 by 25 pixels."""
    return _transformer(keras, keras.layers.Reshape((48, 8))(keras.layers.Conv2D(8, 25, 25)(x)))


def _mixer(keras: Any, x: Any) -> Any:
    """Dense layers over candles and over features in turn (MLP-Mixer)."""
    layers = keras.layers
    x = x + layers.Permute((2, 1))(layers.Dense(50, "gelu")(layers.Permute((2, 1))(layers.LayerNormalization()(x))))
    return x + layers.Dense(8, "gelu")(layers.LayerNormalization()(x))


def _highway(keras: Any, x: Any) -> Any:
    gate = keras.layers.Dense(8, "sigmoid")(x)
    return keras.layers.Dense(8, "relu")(x) * gate + x * (1 - gate)


def _application(name: str, options: dict[str, Any]) -> ModelKind:
    """A network of keras.applications with random weights and three outputs, on frames of half the size."""

    def build(keras: Any) -> Any:
        network = getattr(keras.applications, name)
        base = network(weights=None, include_top=False, input_shape=(100, 75, 3), pooling="avg", **options)
        return keras.Sequential([keras.Input(FRAME), keras.layers.AveragePooling2D(2), base, keras.layers.Dense(3)])

    return ModelKind("keras.applications", name, build)


_BLOCKS = (
    kinds(
        "architecture",
        on_image,
        {
            "residual block": _residual,
            "DenseNet block": _dense_block,
            "Inception block": _inception,
            "squeeze and excitation": _squeeze_and_excitation,
            "inverted bottleneck": _inverted_bottleneck,
            "ConvNeXt block": _convnext,
            "U-Net": _u_net,
            "highway": _highway,
        },
        quick=("squeeze and excitation",),
    )
    + kinds(
        "architecture",
        on_series,
        {
            "TCN": _temporal,
            "WaveNet": _wavenet,
            "transformer": _transformer,
            "MLP-Mixer": _mixer,
            "convolution and LSTM": lambda k, x: k.layers.LSTM(6)(k.layers.Conv1D(8, 3, 2, activation="relu")(x)),
        },
    )
    + kinds("architecture", on_frames, {"vision transformer": _vision_transformer})
)

ARCHITECTURE_KINDS = [*_BLOCKS, *(_application(name, options) for name, options in _APPLICATIONS.items())]
