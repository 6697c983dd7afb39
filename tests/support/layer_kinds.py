"""Models with one unusual layer."""

from typing import Any

from tests.support.model_kinds import Part, kinds, on_frames, on_image, on_series


def _activation(name: str) -> Part:
    return lambda k, x: k.layers.Activation(name)(x)


def _augmented(name: str, *arguments: Any) -> Part:
    """The layer, before a convolution; it does nothing at inference."""
    return lambda k, x: k.layers.Conv2D(8, 3, 2)(k.layers.AveragePooling2D(2)(getattr(k.layers, name)(*arguments)(x)))


ACTIVATIONS = kinds(
    "activation",
    on_image,
    {
        **{name: _activation(name) for name in ("relu6", "leaky_relu", "elu", "selu", "gelu", "mish", "softplus", "hard_silu", "tanh")},
        "SiLU (swish)": _activation("silu"),
        "sparsemax": _activation("sparsemax"),
        "log_softmax": _activation("log_softmax"),
        "PReLU": lambda k, x: k.layers.PReLU(alpha_initializer="random_normal")(x),
        "Softmax": lambda k, x: k.layers.Softmax()(x),
    },
    quick=("SiLU (swish)",),
    in_keras=("log_softmax",),
)

NORMALISATION = kinds(
    "normalisation",
    on_image,
    {
        "BatchNormalization": lambda k, x: k.layers.BatchNormalization()(x),
        "LayerNormalization": lambda k, x: k.layers.LayerNormalization()(x),
        "GroupNormalization": lambda k, x: k.layers.GroupNormalization(4)(x),
        "UnitNormalization": lambda k, x: k.layers.UnitNormalization()(x),
        "RMSNormalization": lambda k, x: k.layers.RMSNormalization()(x),
        "SpectralNormalization": lambda k, x: k.layers.SpectralNormalization(k.layers.Conv2D(4, 3))(x),
    },
    quick=("GroupNormalization",),
)

CONVOLUTION = kinds(
    "convolution",
    on_image,
    {
        "SeparableConv2D": lambda k, x: k.layers.SeparableConv2D(4, 3)(x),
        "DepthwiseConv2D, two filters per channel": lambda k, x: k.layers.DepthwiseConv2D(3, depth_multiplier=2)(x),
        "Conv2DTranspose": lambda k, x: k.layers.Conv2DTranspose(4, 3, 2, padding="same")(x),
        "Conv2D, even kernel, odd strides": lambda k, x: k.layers.Conv2D(4, (4, 2), (3, 2), padding="same")(x),
        "Conv2D, dilated": lambda k, x: k.layers.Conv2D(4, 3, dilation_rate=(2, 3), padding="same")(x),
        "Conv2D, grouped": lambda k, x: k.layers.Conv2D(8, 3, groups=4)(x),
        "Conv2D, channels first": lambda k, x: k.layers.Conv2D(4, 3, 2, data_format="channels_first")(k.layers.Permute((3, 1, 2))(x)),
        "padding and cropping by different widths": lambda k, x: k.layers.Cropping2D(((0, 3), (1, 0)))(
            k.layers.Conv2D(4, 3)(k.layers.ZeroPadding2D(((3, 1), (0, 2)))(x))
        ),
        "Conv3D": lambda k, x: k.layers.Conv3D(4, 3)(k.layers.Reshape((20, 15, 8, 1))(x)),
        "Conv3DTranspose": lambda k, x: k.layers.Conv3DTranspose(2, 3)(k.layers.Reshape((20, 15, 8, 1))(x)),
    },
) + kinds(
    "convolution",
    on_series,
    {
        "Conv1D, causal and dilated": lambda k, x: k.layers.Conv1D(4, 3, padding="causal", dilation_rate=4)(x),
        "SeparableConv1D": lambda k, x: k.layers.SeparableConv1D(4, 3)(x),
        "DepthwiseConv1D": lambda k, x: k.layers.DepthwiseConv1D(3)(x),
        "Conv1DTranspose": lambda k, x: k.layers.Conv1DTranspose(4, 3, 2)(x),
    },
)

POOLING = kinds(
    "pooling",
    on_image,
    {
        "MaxPooling2D, overlapping": lambda k, x: k.layers.MaxPooling2D(3, 2, padding="same")(x),
        "GlobalAveragePooling2D": lambda k, x: k.layers.GlobalAveragePooling2D()(x),
        "GlobalMaxPooling2D": lambda k, x: k.layers.GlobalMaxPooling2D(keepdims=True)(x),
        "AdaptiveAveragePooling2D": lambda k, x: k.layers.AdaptiveAveragePooling2D((3, 2))(x),
    },
)

IMAGE = kinds(
    "image",
    on_image,
    {
        "Resizing, bilinear": lambda k, x: k.layers.Resizing(10, 10)(x),
        "Resizing, nearest": lambda k, x: k.layers.Resizing(10, 10, interpolation="nearest")(x),
        "Resizing, bicubic": lambda k, x: k.layers.Resizing(10, 10, interpolation="bicubic")(x),
        "UpSampling2D": lambda k, x: k.layers.UpSampling2D(2, interpolation="bilinear")(x),
        "CenterCrop": lambda k, x: k.layers.CenterCrop(8, 8)(x),
        "Rescaling": lambda k, x: k.layers.Rescaling(2.0, -1.0)(x),
        "Normalization": lambda k, x: k.layers.Normalization(mean=[0.1] * 8, variance=[0.2] * 8)(x),
    },
    quick=("Resizing, bicubic", "Rescaling"),
    in_keras=("Resizing, bicubic",),
)

AUGMENTATION = kinds(
    "augmentation",
    on_frames,
    {
        "RandomFlip": _augmented("RandomFlip"),
        "RandomContrast": _augmented("RandomContrast", 0.2),
        "RandomBrightness": _augmented("RandomBrightness", 0.2),
        "RandomRotation": _augmented("RandomRotation", 0.1),
        "RandAugment": _augmented("RandAugment"),
    },
    quick=("RandomFlip",),
)

NOISE = kinds(
    "noise",
    on_image,
    {
        "Dropout": lambda k, x: k.layers.Dropout(0.3)(x),
        "SpatialDropout2D": lambda k, x: k.layers.SpatialDropout2D(0.3)(x),
        "AlphaDropout": lambda k, x: k.layers.AlphaDropout(0.3)(x),
        "GaussianNoise": lambda k, x: k.layers.GaussianNoise(0.3)(x),
        "GaussianDropout": lambda k, x: k.layers.GaussianDropout(0.3)(x),
    },
)

LAYER_KINDS = [*ACTIVATIONS, *NORMALISATION, *CONVOLUTION, *POOLING, *IMAGE, *AUGMENTATION, *NOISE]
