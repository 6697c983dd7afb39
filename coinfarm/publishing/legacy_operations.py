"""Translates calls of TensorFlow's functions between the layers of a network, as Keras 2 stored them, to operations of Keras 3.

Each call becomes one operation: the number of steps in each branch decides in which order Keras lists the layers and their weights.
"""

import re
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from coinfarm.errors import CoinfarmError
from coinfarm.publishing.legacy_functions import OPERATIONS, Operation
from coinfarm.publishing.legacy_references import is_reference, referenced_layers, with_tensors

FUNCTION_KINDS = ("TFOpLambda", "SlicingOpLambda")
"""The classes of layers that `translated` takes."""
_SLICE = "__operators__.getitem"
_SHAPES = ("shape", "compat.v1.shape")
_CONSTANT = "_CONSTANT_VALUE"
_IGNORED = ("name", "output_type")
_WITHOUT_EFFECT = {
    **dict.fromkeys(("conjugate", "transpose_a", "transpose_b", "preserve_aspect_ratio", "antialias"), False),
    "constant_values": 0,
}


def translated(layer: dict[str, Any]) -> dict[str, Any]:
    """The layer for Keras 3. Raises `CoinfarmError` for a function or an argument without a known counterpart."""
    function = layer["config"]["function"]
    operation = Operation("GetItem", inputs=("slice_spec",)) if function == _SLICE else OPERATIONS.get(function)
    if operation is None:
        raise _untranslatable(function)
    calls = [_arguments(node, function) for node in layer["inbound_nodes"]]
    options = [_options(operation, given, function) for _, given in calls]
    if any(each != options[0] for each in options):
        raise _untranslatable(function, "whose options differ between its calls")
    return {
        "module": f"keras.src.ops.{operation.module}",
        "class_name": operation.name,
        "registered_name": operation.name,
        "config": {"name": layer["name"], **operation.defaults, **options[0]},
        "name": layer["name"],
        "inbound_nodes": [{"args": [_input_of(first), *_further(operation, given, function)], "kwargs": {}} for first, given in calls],
    }


def without_batch_lengths(layers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The layers of a network, where `tf.reshape(x, (tf.shape(x)[0], …))` is a Reshape layer, which keeps the batch axis."""
    shapes = {layer["name"] for layer in layers if _function(layer) in _SHAPES}
    lengths = {layer["name"] for layer in layers if _function(layer) == _SLICE and _is_first_of(layer["inbound_nodes"], shapes)}
    found = [_reshape_layer(layer) if _keeps_batch(layer, lengths) else layer for layer in layers]
    for unused in (lengths, shapes):
        used = {name for layer in found for name in referenced_layers(layer.get("inbound_nodes"))}
        found = [layer for layer in found if layer.get("name") not in unused - used]
    return found


def _function(layer: dict[str, Any]) -> str | None:
    return layer["config"]["function"] if layer.get("class_name") in FUNCTION_KINDS else None


def _is_first_of(nodes: list[Any], shapes: set[str]) -> bool:
    return all(node[0] in shapes and node[3].get("slice_spec") in (0, [0]) for node in nodes)


def _keeps_batch(layer: dict[str, Any], lengths: set[str]) -> bool:
    if _function(layer) != "reshape":
        return False
    shapes = [node[3].get("shape") for node in layer["inbound_nodes"]]
    return all(isinstance(shape, list) and shape and is_reference(shape[0]) and shape[0][0] in lengths for shape in shapes)


def _reshape_layer(layer: dict[str, Any]) -> dict[str, Any]:
    (*source, given), *others = layer["inbound_nodes"]
    shape = given["shape"][1:]
    if others or any(is_reference(length) for length in shape):
        raise _untranslatable("reshape", "with a shape that depends on the batch")
    config = {"name": layer["name"], "target_shape": shape}
    return {"class_name": "Reshape", "config": config, "name": layer["name"], "inbound_nodes": [[[*source, {}]]]}


def _arguments(node: list[Any], function: str) -> tuple[Any, dict[str, Any]]:
    """The first argument of a call, and the others that are given, by name."""
    if node and isinstance(node[0], list):  # of several tensors
        return [reference[:3] for reference in node], _given(node[0][3])
    name, number, value, given = node
    if name == _CONSTANT:
        if isinstance(value, str):  # such as the formula of tf.einsum, beside which Keras 2 stored no tensors
            raise _untranslatable(function, "whose arguments are not stored")
        return value, _given(given)
    return [name, number, value], _given(given)


def _given(arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None and name not in _IGNORED}


def _options(operation: Operation, given: dict[str, Any], function: str) -> dict[str, Any]:
    options = {}
    for name, value in given.items():
        if name in operation.options and not any(referenced_layers(value)):
            options[operation.options[name]] = _option(name, value)
        elif name not in operation.inputs and (name not in _WITHOUT_EFFECT or value != _WITHOUT_EFFECT[name]):
            raise _untranslatable(function, f"with {name}")
    return options


def _option(name: str, value: Any) -> Any:
    if name == "num_or_size_splits" and isinstance(value, list):
        return list(accumulate(value[:-1]))
    if name == "dtype":
        return re.sub(r"<dtype: '(\w+)'>", r"\1", value)
    return value.lower() if name == "mode" else value


def _further(operation: Operation, given: dict[str, Any], function: str) -> Iterator[Any]:
    """The inputs after the first, for Keras 3."""
    for name in operation.inputs:
        if name not in given:
            raise _untranslatable(function, f"without {name}")
        value = given[name]
        if name == "slice_spec":
            yield [_index(each, function) for each in value] if isinstance(value, list) else _index(value, function)
        else:
            yield _input_of(value)


def _index(value: Any, function: str) -> Any:
    bounds = value.values() if isinstance(value, dict) else [value]
    if any(isinstance(bound, list) for bound in bounds):
        raise _untranslatable(function, "with bounds that are tensors")
    if value == "Ellipsis":
        return {"class_name": "__ellipsis__", "config": {}}
    return {"class_name": "__slice__", "config": value} if isinstance(value, dict) else value


def _input_of(value: Any) -> Any:
    """A tensor, several, or a constant."""
    if isinstance(value, list) and not any(referenced_layers(value)):
        return {"class_name": "__numpy__", "config": {"value": value, "dtype": "float32"}}
    return with_tensors(value)


def _untranslatable(function: str, how: str = "") -> CoinfarmError:
    shown = "a slice" if function == _SLICE else f"tf.{function}"
    return CoinfarmError(f"between its layers it calls {shown}{how and f' {how}'}, which cannot be translated to Keras 3")
