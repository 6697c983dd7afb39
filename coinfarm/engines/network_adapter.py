"""Puts a network that was trained on other inputs, or has several heads, behind the interface of all engines: frames to outputs."""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from coinfarm.errors import ModelError
from coinfarm.models.manifest import AXES
from coinfarm.reports.formatting import plural_text
from image_render.spec import STANDARD

if TYPE_CHECKING:
    from coinfarm.models.manifest import Member, Output

_LAYOUT_OPTION = "--layout"
_TOLERANCE = 0.02
"""Of probabilities, which a network of another precision may have rounded."""


def adapt(network: Any, member: "Member", outputs: "Sequence[Output]") -> Any:
    """The network as one from frames `(N, 200, 150, 3)` of 0 and 1 to `(N, outputs)`; the network itself if it is that already.

    `outputs` are those of the member, in order. Raises `ModelError` for inputs or outputs that do not match the manifest.
    """
    import keras

    _check_input(network, member)
    inputs = [tuple(tensor.shape) for tensor in getattr(network, "inputs", None) or []]
    classes = [len(output.return_map or ()) if output.probabilities else 1 for output in outputs]
    is_plain = member.layout is None and member.pixels is None and sum(classes) == len(classes)
    structure = getattr(network, "input", None) if inputs else None
    if not (is_plain and inputs == [(None, *STANDARD.shape)]) or isinstance(structure, dict | list):
        frames = keras.Input(STANDARD.shape, name="frames")
        x = _network_input(frames, member)
        given = keras.tree.pack_sequence_as(structure, [x]) if isinstance(structure, dict | list) else x
        heads = [keras.ops.reshape(head, (-1, _columns(head))) for head in keras.tree.flatten(network(given))]
        _check_columns([_columns(head) for head in heads], member, outputs, classes)
        joined = heads[0] if len(heads) == 1 else keras.ops.concatenate(heads, axis=1)
        if not all(count == 1 for count in classes):
            _check_probabilities(keras.Model(frames, joined), member, outputs, classes)
        return keras.Model(frames, joined if is_plain else keras.ops.concatenate(list(_values(joined, outputs, classes)), axis=1))
    _check_columns([_columns(head) for head in network.outputs], member, outputs, classes)
    return network


def input_shape(member: "Member") -> tuple[int, ...]:
    """The shape of the member's input, without the batch axis."""
    return tuple(STANDARD.shape[AXES.index(axis.removeprefix("-"))] for axis in member.layout or AXES)


def _network_input(frames: Any, member: "Member") -> Any:
    """Frames as the network was trained on them."""
    from keras import ops

    x = frames
    if member.pixels is not None:
        clear, filled = member.pixels
        x = x * (filled - clear) + clear
    if member.layout is not None:
        x = ops.transpose(x, (0, *(1 + AXES.index(axis.removeprefix("-")) for axis in member.layout)))
        for axis in (at for at, name in enumerate(member.layout, start=1) if name.startswith("-")):
            x = ops.flip(x, axis=axis)
    return x


def _values(joined: Any, outputs: "Sequence[Output]", classes: list[int]) -> Iterator[Any]:
    """The raw value of each output, `(N, 1)`: the weighted mean of its classes where it has probabilities."""
    from keras import ops

    first = 0
    for output, count in zip(outputs, classes, strict=True):
        head = joined[:, first : first + count]
        if output.probabilities:
            head = ops.matmul(head, ops.reshape(ops.convert_to_tensor(output.return_map, dtype=head.dtype), (count, 1)))
        yield head
        first += count


def _check_probabilities(network: Any, member: "Member", outputs: "Sequence[Output]", classes: list[int]) -> None:
    """Raises `ModelError` for classes whose values, for an empty and a full frame, are no probabilities, such as logits."""
    found = np.asarray(network(np.stack([np.zeros(STANDARD.shape), np.ones(STANDARD.shape)]), training=False), np.float64)
    first = 0
    for output, count in zip(outputs, classes, strict=True):
        values = found[:, first : first + count]
        if output.probabilities and (values.min() < -_TOLERANCE or np.abs(values.sum(axis=1) - 1).max() > _TOLERANCE):
            raise ModelError(
                f"{member.file}: the {count} values for {output.name} are no probabilities (the least is {values.min():.3g}, and they add "
                f"up to {values[0].sum():.3g}, not 1): if they are logits, add keras.layers.Softmax() after the classes of each output, "
                "and save it again"
            )
        first += count


def _columns(head: Any) -> int:
    return math.prod(length or 0 for length in head.shape[1:])


def _check_columns(found: list[int], member: "Member", outputs: "Sequence[Output]", classes: list[int]) -> None:
    if sum(found) == sum(classes):
        return
    names = ", ".join(output.name for output in outputs)
    has = f"{member.file} has {plural_text(sum(found), 'output')}" + (
        f" in heads of {', '.join(map(str, found))}" if len(found) > 1 else ""
    )
    if sum(found) > len(outputs) and sum(found) % len(outputs) == 0:
        hint = f"if these are probabilities of {sum(found) // len(outputs)} classes each, pass the return of every class with --return-map"
    elif sum(found) == len(outputs):
        hint = "if these are indices of classes, pass --class-index with --return-map"
    elif sum(found) < len(outputs):
        hint = "give the networks of the other outputs with --member"
    else:
        hint = "end the network with one value for each"
    raise ModelError(f"{has}, but it should have {sum(classes)}, for {names}: {hint}")


def _check_input(network: Any, member: "Member") -> None:
    """Raises `ModelError` if frames cannot be the network's input, and says which layout would fit."""
    shapes = [tuple(tensor.shape) for tensor in getattr(network, "inputs", None) or []]
    if len(shapes) > 1:
        raise ModelError(f"{member.file} has {len(shapes)} inputs, but a frame is one: build a network that takes frames alone")
    if not shapes:
        if not network.weights:
            raise ModelError(f"{member.file} was saved before it had weights: call it once, train it, and save it again")
        return
    expected, found = input_shape(member), shapes[0][1:]
    if _fits(found, expected):
        return
    frame = f"frames {expected} of {' × '.join(member.layout or AXES)}"
    fitting = [layout for layout in _layouts() if _fits(found, tuple(STANDARD.shape[AXES.index(axis)] for axis in layout))]
    if fitting and None not in found:
        layout = fitting[0]
        order = ", ".join(str(1 + AXES.index(axis)) for axis in layout)
        flipped = ",".join("-rows" if axis == "rows" else axis for axis in layout)
        raise ModelError(
            f"{member.file} takes {found} instead of {frame}: publish it with {_LAYOUT_OPTION} {','.join(layout)} ({flipped} if its first "
            f"row is the highest price), or put keras.layers.Permute(({order})) in front of it"
        )
    raise ModelError(f"{member.file} takes {found} instead of {frame}: put layers in front of it that make one from the other")


def _layouts() -> Iterator[tuple[str, ...]]:
    from itertools import permutations

    yield from permutations(AXES)


def _fits(found: tuple[int | None, ...], expected: tuple[int, ...]) -> bool:
    return len(found) == len(expected) and all(length in (None, wanted) for length, wanted in zip(found, expected, strict=True))
