"""What a kind of model is: how it is built, and how it is expected to be served. The kinds are in the modules `*_kinds`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from coinfarm.models.candidate import Interface

FRAME = (200, 150, 3)
Outcome = Literal["compiled", "Keras", "rejected"]
Build = Callable[[Any], Any]
"""Builds a model with the module `keras`; several, by output, for networks with one output each."""
Part = Callable[[Any, Any], Any]
"""Applies layers of the module `keras` to a tensor."""


@dataclass(frozen=True)
class ModelKind:
    """A model that predicts the three outputs. `is_quick` ones are tested with every change, the others when the page is written.

    One that is published with options has its `interface`: `inputs` makes of frames what it takes, `values` of what it gives the outputs.
    """

    group: str
    name: str
    build: Build
    outcome: Outcome = "compiled"
    is_quick: bool = False
    interface: Interface = field(default_factory=Interface)
    inputs: Callable[[Any], Any] = lambda frames: frames
    values: Callable[[Any], Any] = lambda given: given


def on_frames(part: Part, outputs: int = 3) -> Build:
    """The part on the pixels of frames, and dense outputs."""

    def build(keras: Any) -> Any:
        frame = keras.Input(FRAME)
        return keras.Model(frame, keras.layers.Dense(outputs)(keras.layers.Flatten()(part(keras, frame))))

    return build


def on_image(part: Part) -> Build:
    """The part on features `(20, 15, 8)` of a convolution."""
    return on_frames(lambda k, x: part(k, k.layers.Conv2D(8, 3, 2, padding="same", activation="relu")(k.layers.AveragePooling2D(5)(x))))


def on_series(part: Part) -> Build:
    """The part on features `(50, 8)` of every four candles."""
    return on_frames(lambda k, x: part(k, k.layers.Conv1D(8, 4, 4, activation="tanh")(k.layers.Reshape((200, 450))(x))))


def kinds(
    group: str, place: Callable[[Part], Build], parts: Mapping[str, Part], *, quick: tuple[str, ...] = (), in_keras: tuple[str, ...] = ()
) -> list[ModelKind]:
    """A kind for each part; those named in `in_keras` cannot be compiled."""
    assert {*quick, *in_keras} <= parts.keys()
    return [
        ModelKind(group, name, place(part), outcome="Keras" if name in in_keras else "compiled", is_quick=name in quick)
        for name, part in parts.items()
    ]
