"""Models that take or give something else than one frame and three values, or whose frames depend on each other."""

from collections.abc import Sequence
from typing import Any

from coinfarm.models.candidate import Interface
from tests.support.model_kinds import FRAME, Build, ModelKind


def _features(keras: Any, x: Any) -> Any:
    layers = keras.layers
    return layers.Conv2D(8, 3, 2, padding="same", activation="relu")(layers.AveragePooling2D(5, padding="same")(x))


def _dense(keras: Any, x: Any, count: int = 3) -> Any:
    return keras.layers.Dense(count)(keras.layers.Flatten()(x))


def _taking(shape: tuple[int, ...], dtype: str = "float32") -> Build:
    def build(keras: Any) -> Any:
        image = keras.Input(shape, dtype=dtype)
        x = keras.ops.cast(image, "float32")
        return keras.Model(image, _dense(keras, x if len(shape) == 1 else _features(keras, x)))

    return build


def _named_input(keras: Any) -> Any:
    """Its input is a dict of one."""
    frame = keras.Input(FRAME, name="frame")
    return keras.Model({"frame": frame}, _dense(keras, _features(keras, frame)))


def _giving(count: int) -> Build:
    def build(keras: Any) -> Any:
        frame = keras.Input(FRAME)
        return keras.Model(frame, _dense(keras, _features(keras, frame), count))

    return build


def _heads(names: Sequence[str]) -> Build:
    def build(keras: Any) -> Any:
        frame = keras.Input(FRAME)
        x = keras.layers.Flatten()(_features(keras, frame))
        return keras.Model(frame, [keras.layers.Dense(1, name=name)(x) for name in names])

    return build


def _less_mean_of_batch(keras: Any) -> Any:
    frame = keras.Input(FRAME)
    x = _dense(keras, _features(keras, frame))
    return keras.Model(frame, x - keras.ops.mean(x, 0, keepdims=True))


def _attention_over_batch(keras: Any) -> Any:
    frame = keras.Input(FRAME)
    x = keras.ops.expand_dims(_dense(keras, _features(keras, frame)), 0)
    return keras.Model(frame, keras.ops.squeeze(keras.layers.Attention()([x, x]), 0))


def _norm_over_batch(keras: Any) -> Any:
    frame = keras.Input(FRAME)
    return keras.Model(frame, _dense(keras, keras.layers.UnitNormalization(axis=0)(_features(keras, frame))))


def _stateful(batch: int) -> Build:
    def build(keras: Any) -> Any:
        layers = keras.layers
        frame = keras.Input(batch_shape=(batch, *FRAME))
        series = layers.Reshape((20, 120))(_features(keras, frame))
        return keras.Model(frame, layers.Dense(3)(layers.LSTM(4, stateful=True)(series)))

    return build


def _one_frame(keras: Any) -> Any:
    frame = keras.Input(batch_shape=(1, *FRAME))
    return keras.Model(frame, keras.layers.Dense(3)(keras.ops.reshape(_features(keras, frame), (1, 2400))))


def _always_dropping(keras: Any) -> Any:
    """Keras leaves out the argument, unless it trains."""
    frame = keras.Input(FRAME)
    return keras.Model(frame, _dense(keras, keras.layers.Dropout(0.5)(_features(keras, frame), training=True)))


_GERMAN = ("ende", "anstieg", "verlust")
_by_name = Interface(outputs="end,rise,decline")

INTERFACE_KINDS = [
    ModelKind("input", "bool", _taking(FRAME, "bool")),
    ModelKind("input", "int32", _taking(FRAME, "int32")),
    ModelKind("input", "dict of one", _named_input, is_quick=True),
    ModelKind("input", "one channel", _taking((200, 150, 1)), "rejected"),
    ModelKind("input", "flat", _taking((90_000,)), "rejected"),
    ModelKind("output", "one value", _giving(1), "rejected"),
    ModelKind("output", "four values", _giving(4), "rejected"),
    ModelKind("output", "four heads", _heads(("rise", "decline", "end", "volume")), "rejected", is_quick=True),
    ModelKind("output", "heads in another language", _heads(_GERMAN), "rejected"),
    ModelKind(
        "output", "heads in another language: --outputs", _heads(_GERMAN), interface=_by_name, values=lambda given: given[:, [1, 2, 0]]
    ),
    ModelKind("batch", "Dropout that is called with training=True", _always_dropping),
    ModelKind("batch", "mean over the batch", _less_mean_of_batch, "rejected", is_quick=True),
    ModelKind("batch", "attention over the batch", _attention_over_batch, "rejected"),
    ModelKind("batch", "UnitNormalization over the batch", _norm_over_batch, "rejected"),
    ModelKind("batch", "stateful LSTM of one frame", _stateful(1), "rejected"),
    ModelKind("batch", "stateful LSTM of 20 frames", _stateful(20), "rejected"),
    ModelKind("batch", "reshape for one frame", _one_frame, "rejected", is_quick=True),
]
