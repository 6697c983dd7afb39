"""References from one layer to the output of another, as Keras 2 wrote them: `[layer, number of its call, number of its output]`."""

from collections.abc import Iterator
from typing import Any


def is_reference(value: Any) -> bool:
    """Whether it is a reference."""
    return isinstance(value, list) and len(value) == 3 and isinstance(value[0], str) and all(isinstance(at, int) for at in value[1:])


def referenced_layers(value: Any) -> Iterator[str]:
    """The layers that a part of a configuration refers to."""
    if isinstance(value, list) and is_reference(value[:3]):
        yield value[0]
        yield from referenced_layers(value[3:])
    elif isinstance(value, list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from referenced_layers(each)


def with_tensors(value: Any) -> Any:
    """The value with the references in it as Keras 3 writes them."""
    if is_reference(value):
        return {"class_name": "__keras_tensor__", "config": {"shape": [], "dtype": "float32", "keras_history": value}}
    if isinstance(value, list):
        return [with_tensors(each) for each in value]
    return {key: with_tensors(each) for key, each in value.items()} if isinstance(value, dict) else value


def renewed_call(node: Any, further: str | None = None) -> Any:
    """The call of a layer for Keras 3, which reads the old form only if no argument by name is a tensor, such as the value of attention.

    `further` is the name of the argument that takes all tensors after the first, if the layer takes one tensor.
    """
    if not (isinstance(node, list) and node and all(isinstance(each, list) and is_reference(each[:3]) for each in node)):
        return node
    arguments = {} if len(node[0]) == 3 else node[0][3]
    tensors = [each[:3] for each in node]
    if further is not None and len(tensors) > 1:
        arguments = {**arguments, further: tensors[1:]}
        tensors = tensors[:1]
    if not any(referenced_layers(arguments)):
        return node
    inputs = [with_tensors(each) for each in tensors]
    return {"args": inputs if len(inputs) == 1 else [inputs], "kwargs": with_tensors(arguments)}
