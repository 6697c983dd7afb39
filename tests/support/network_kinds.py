"""Models that are unusual as a whole: their precision, inputs, outputs, and how they are put together."""

from typing import Any

import numpy as np

from coinfarm.outputs import OUTPUT_NAMES
from tests.support.model_kinds import FRAME, Build, ModelKind, on_frames


def _body(keras: Any, x: Any) -> Any:
    """A convolution, an operation, a normalisation and a dense layer."""
    layers = keras.layers
    x = layers.Conv2D(8, 3, 2, padding="same")(layers.AveragePooling2D(5)(x))
    x = layers.LayerNormalization()(layers.Activation("relu")(x) + x * 0.5)
    return layers.Dense(16, "gelu")(layers.Dropout(0.1)(layers.Flatten()(x)))


_network = on_frames(_body)


def _in_precision(policy: str) -> Build:
    """The network under a global policy; the outputs are float32, as Keras recommends, if the policy is a mixed one."""

    def build(keras: Any) -> Any:
        keras.config.set_dtype_policy(policy)
        try:
            frame = keras.Input(FRAME)
            outputs = keras.layers.Dense(3, dtype="float32" if policy.startswith("mixed") else None)
            return keras.Model(frame, outputs(_body(keras, frame)))
        finally:
            keras.config.set_dtype_policy("float32")

    return build


def _float64(keras: Any) -> Any:
    """`set_floatx` changes the inputs too."""
    keras.config.set_floatx("float64")
    try:
        return _in_precision("float64")(keras)
    finally:
        keras.config.set_floatx("float32")


def _quantised(keras: Any) -> Any:
    model = _network(keras)
    model.quantize("int8")
    return model


def _sequential(keras: Any) -> Any:
    layers = keras.layers
    return keras.Sequential([keras.Input(FRAME), layers.Conv2D(4, 5, 5, activation="relu"), layers.Flatten(), layers.Dense(3)])


def _nested(keras: Any) -> Any:
    """A network of networks."""
    x = frame = keras.Input(FRAME)
    inner = keras.Model(frame, _body(keras, frame))
    x = keras.Input(FRAME)
    head = keras.Sequential([keras.layers.Dense(8, "relu"), keras.layers.Dense(3)])
    return keras.Model(x, head(inner(x)))


def _shared(keras: Any) -> Any:
    """The same layer on both halves of the window."""
    layers = keras.layers
    frame = keras.Input(FRAME)
    shared = layers.Conv2D(4, 5, 5)
    halves = [layers.Flatten()(shared(half)) for half in (frame[:, :100], frame[:, 100:])]
    return keras.Model(frame, layers.Dense(3)(layers.Concatenate()(halves)))


def _ensemble(keras: Any) -> Any:
    frame = keras.Input(FRAME)
    return keras.Model(frame, keras.layers.Average()([_network(keras)(frame), _network(keras)(frame)]))


def _bytes(keras: Any) -> Any:
    frame = keras.Input(FRAME, dtype="uint8")
    return keras.Model(frame, keras.layers.Dense(3)(_body(keras, keras.layers.Rescaling(1.0)(frame))))


def _heads(keras: Any, *, in_dict: bool) -> Any:
    frame = keras.Input(FRAME)
    x = _body(keras, frame)
    heads = {name: keras.layers.Dense(1, name=name)(x) for name in OUTPUT_NAMES}
    return keras.Model(frame, heads if in_dict else list(heads.values()))


def _column(keras: Any) -> Any:
    frame = keras.Input(FRAME)
    return keras.Model(frame, keras.layers.Reshape((3, 1))(keras.layers.Dense(3)(_body(keras, frame))))


def _constant(constant_outputs: int) -> Build:
    """The last outputs are the same for every frame."""

    def build(keras: Any) -> Any:
        frame = keras.Input(FRAME)
        x = _body(keras, frame)
        constant = keras.layers.Dense(constant_outputs, kernel_initializer="zeros", bias_initializer="ones")(x)
        varying = [keras.layers.Dense(3 - constant_outputs)(x)] if constant_outputs < 3 else []
        return keras.Model(frame, keras.layers.Concatenate()([*varying, constant]) if varying else constant)

    return build


def _two_inputs(keras: Any) -> Any:
    frame, hour = keras.Input(FRAME), keras.Input((1,))
    return keras.Model([frame, hour], keras.layers.Dense(3)(keras.layers.Concatenate()([_body(keras, frame), hour])))


def _trained(keras: Any) -> Any:
    """Its file has the state of Adam and a loss."""
    model = _network(keras)
    model.compile("adam", "mae")
    model.train_on_batch(np.ones((2, *FRAME)), np.ones((2, 3)))
    return model


def _fixed_batch(keras: Any) -> Any:
    frame = keras.Input(batch_shape=(40, *FRAME))
    return keras.Model(frame, keras.layers.Dense(3)(_body(keras, frame)))


def _any_size(keras: Any) -> Any:
    frame = keras.Input((None, None, 3))
    return keras.Model(frame, keras.layers.Dense(3)(keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(8, 5, 5)(frame))))


def _unbuilt(keras: Any) -> Any:
    """Its layers know their shapes only since the first batch."""
    layers = keras.layers
    model = keras.Sequential([layers.Conv2D(4, 5, 5, activation="relu"), layers.Flatten(), layers.Dense(3)])
    model(np.zeros((1, *FRAME), np.float32))
    return model


_lambda = on_frames(lambda k, x: k.layers.Lambda(lambda values: values * 2)(k.layers.AveragePooling2D(5)(x)))

NETWORK_KINDS = [
    *(
        ModelKind("precision", policy, _in_precision(policy), is_quick=policy == "mixed_bfloat16")
        for policy in ("mixed_bfloat16", "mixed_float16", "bfloat16", "float16", "float64")
    ),
    ModelKind("precision", "floatx of float64", _float64),
    ModelKind("precision", "quantised by Keras to int8", _quantised, "Keras"),
    ModelKind("structure", "Sequential", _sequential),
    ModelKind("structure", "nested models", _nested, is_quick=True),
    ModelKind("structure", "shared layer", _shared),
    ModelKind("structure", "average of two networks", _ensemble),
    ModelKind("structure", "trained, with the state of its optimizer", _trained, is_quick=True),
    ModelKind("structure", "Sequential without an input shape", _unbuilt),
    ModelKind("structure", "Lambda layer", _lambda, "rejected", is_quick=True),
    ModelKind(
        "structure", "lambda as activation", on_frames(lambda k, x: k.layers.Dense(2, lambda v: 2 * v, name="doubled")(x)), "rejected"
    ),
    ModelKind("input", "uint8", _bytes),
    ModelKind("input", "fixed batch size", _fixed_batch),
    ModelKind("input", "images of any size", _any_size),
    ModelKind("input", "two inputs", _two_inputs, "rejected", is_quick=True),
    ModelKind("output", "list of heads", lambda keras: _heads(keras, in_dict=False), is_quick=True),
    ModelKind("output", "dict of heads", lambda keras: _heads(keras, in_dict=True), is_quick=True),
    ModelKind("output", "column (3, 1)", _column),
    ModelKind("output", "one constant output", _constant(1), is_quick=True),
    ModelKind("output", "constant outputs only", _constant(3)),
]
