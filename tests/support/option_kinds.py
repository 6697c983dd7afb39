"""Models that are published with options, because their file does not say what they take or give."""

from typing import Any

import numpy as np

from coinfarm.models.candidate import Interface
from coinfarm.outputs import OUTPUT_NAMES
from tests.support.model_kinds import FRAME, Build, ModelKind, on_frames

_RETURNS = (-2.0, -0.5, 0.0, 0.5, 2.0)
_RETURN_MAPS = dict.fromkeys(OUTPUT_NAMES, _RETURNS)
_END_RETURNS = (-3.0, 0.0, 3.0)


def _features(keras: Any, x: Any) -> Any:
    """A convolution of coarse pixels."""
    layers = keras.layers
    return layers.Conv2D(8, 3, 2, padding="same", activation="relu")(layers.AveragePooling2D(5, padding="same")(x))


def _of_shape(shape: tuple[int, ...]) -> Build:
    def build(keras: Any) -> Any:
        frame = keras.Input(shape)
        return keras.Model(frame, keras.layers.Dense(3)(keras.layers.Flatten()(_features(keras, frame))))

    return build


def _classes(keras: Any, *, is_softmax: bool) -> Any:
    """Five classes for each output."""
    layers = keras.layers
    frame = keras.Input(FRAME)
    x = layers.Reshape((3, 5))(layers.Dense(15)(layers.Flatten()(_features(keras, frame))))
    return keras.Model(frame, layers.Softmax()(x) if is_softmax else x)


def _networks(keras: Any) -> Any:
    """Three networks with one output each."""
    return {name: on_frames(_features, outputs=1)(keras) for name in ("rise", "decline", "end")}


def _networks_of_classes(keras: Any) -> Any:
    """Three networks over another layout, with five classes each."""
    layers = keras.layers
    networks = {}
    for name in ("rise", "decline", "end"):
        image = keras.Input((150, 200, 3))
        networks[name] = keras.Model(image, layers.Dense(5, "softmax")(layers.Flatten()(_features(keras, image))))
    return networks


def _heads_of_classes(keras: Any) -> Any:
    """Heads in another order, of which one has fewer classes."""
    layers = keras.layers
    frame = keras.Input(FRAME)
    x = layers.Flatten()(_features(keras, frame))
    counts = {"end": 3, "rise": 5, "fall": 5}
    return keras.Model(frame, [layers.Dense(count, "softmax", name=name)(x) for name, count in counts.items()])


def _mean_of_heads(given: Any) -> Any:
    end, rise, fall = np.split(given, [3, 8], axis=1)
    return np.stack([rise @ np.array(_RETURNS), fall @ np.array(_RETURNS), end @ np.array(_END_RETURNS)], axis=1)


def _mean_return(probabilities: Any) -> Any:
    return probabilities.reshape(-1, 3, 5) @ np.array(_RETURNS)


def _option(name: str, build: Build, interface: Interface, **details: Any) -> ModelKind:
    return ModelKind("option", name, build, interface=interface, **details)


_plain = on_frames(_features)

OPTION_KINDS = [
    _option(
        "other axes: --layout",
        _of_shape((150, 200, 3)),
        Interface(layout=("-rows", "candles", "channels")),
        inputs=lambda frames: frames[:, :, ::-1].transpose(0, 2, 1, 3),
    ),
    _option(
        "channels first: --layout",
        _of_shape((3, 200, 150)),
        Interface(layout=("channels", "candles", "rows")),
        inputs=lambda frames: frames.transpose(0, 3, 1, 2),
    ),
    ModelKind("option", "other axes, without an option", _of_shape((150, 200, 3)), "rejected", is_quick=True),
    _option("pixels of 0 and 255: --pixels", _plain, Interface(pixels=(0.0, 255.0)), inputs=lambda frames: frames * 255),
    _option(
        "another order, positive declines: --outputs",
        _plain,
        Interface(outputs="end,rise,-decline"),
        values=lambda given: given[:, [1, 2, 0]] * [1, -1, 1],
    ),
    _option("fractions: --unit", _plain, Interface(unit="fraction"), values=lambda given: given * 100),
    _option(
        "probabilities of classes: --return-map",
        lambda keras: _classes(keras, is_softmax=True),
        Interface(return_maps=_RETURN_MAPS),
        values=_mean_return,
        is_quick=True,
    ),
    ModelKind("option", "probabilities of classes, without an option", lambda keras: _classes(keras, is_softmax=True), "rejected"),
    _option(
        "logits of classes: --return-map",
        lambda keras: _classes(keras, is_softmax=False),
        Interface(return_maps=_RETURN_MAPS),
        outcome="rejected",
    ),
    _option(
        "index of a class: --return-map --class-index",
        _plain,
        Interface(return_maps=_RETURN_MAPS, is_class_index=True),
        values=lambda given: np.interp(given, range(5), _RETURNS),
    ),
    _option("three networks with one output each: --member", _networks, Interface(), is_quick=True),
    _option(
        "heads of different numbers of classes: --return-map",
        _heads_of_classes,
        Interface(return_maps={**_RETURN_MAPS, "endChangePct": _END_RETURNS}),
        values=_mean_of_heads,
    ),
    _option(
        "three networks: --member, --layout, --pixels, --return-map, --unit fraction",
        _networks_of_classes,
        Interface(layout=("-rows", "candles", "channels"), pixels=(0.0, 255.0), return_maps=_RETURN_MAPS, unit="fraction"),
        inputs=lambda frames: 255 * frames[:, :, ::-1].transpose(0, 2, 1, 3),
        values=lambda given: 100 * _mean_return(given),
    ),
]
