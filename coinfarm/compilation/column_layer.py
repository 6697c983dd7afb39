"""Splits graphs whose first layers are linear in single candles."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coinfarm.engines.column_probe import PROBED_AT_ONCE, Probe, probed_tables, reproduces
from coinfarm.engines.column_tables import ColumnTables
from coinfarm.engines.openvino_import import import_openvino
from image_render.render import Frames

_LAYOUT = {"Convert", "Pad", "Transpose", "Reshape", "Squeeze", "Unsqueeze"}
_WITH_CONSTANT = {"Add", "Subtract", "Multiply", "Divide"}
_WEIGHTED = {"Convolution", "GroupConvolution", "MatMul"}
_PRODUCTS_PER_ADDITION = 8
"""A processor multiplies and adds about so many weights in the time of adding one table value."""


@dataclass(frozen=True, eq=False)
class SplitGraph:
    """The tables of the first weighted `layers` of a graph, and the rest of it, whose input is their features `(N, positions, F)`."""

    tables: ColumnTables
    layers: int
    rest: Any


def split_columns(graph: Any, frames: Frames) -> SplitGraph | None:
    """The graph without its first layers.

    None if the first layers are not linear in single candles, or if look-ups would be slower. `frames` `(N, 200, 150, 3)` are real ones;
    the tables must reproduce the layer on them and on random frames.
    """
    rest = graph.clone()
    best: tuple[int, ColumnTables, int, Any, int] | None = None
    for layers, (output, products) in enumerate(_candidates(rest), start=1):
        size = int(np.prod(_lengths(output)))
        if products <= _PRODUCTS_PER_ADDITION * 5 * size:
            continue
        probe = _compile(rest, output)
        for axis, found in probed_tables(probe, _lengths(output)):
            saved = products - _PRODUCTS_PER_ADDITION * found.additions
            if saved > (best[0] if best else 0) and reproduces(found, probe, axis, frames):
                best = saved, found, layers, output, axis
    if best is None:
        return None
    _, tables, layers, output, axis = best
    return SplitGraph(tables, layers, _behind(rest, output, axis, tables))


def _candidates(graph: Any) -> Iterator[tuple[Any, int]]:
    """The outputs at which the graph can be split, and the number of multiplications before each: at the end of its linear beginning, and
    before each further weighted layer of it.
    """
    (parameter,) = graph.get_parameters()
    output, products = parameter.output(0), 0
    while True:
        targets = [target for target in output.get_target_inputs() if not _is_shape(target)]
        operation = targets[0].get_node() if len(targets) == 1 else None
        is_weighted = operation is not None and operation.get_type_name() in _WEIGHTED
        is_linear = operation is not None and (operation.get_type_name() in _LAYOUT or (is_weighted or _has_constant(operation)))
        if products and (is_weighted or not is_linear):
            yield output, products
        if operation is None or not is_linear or not _is_static(operation.output(0)):
            return
        if is_weighted:
            weights = operation.input_value(1)
            if weights.get_node().get_type_name() != "Constant":
                return
            products += _products(operation)
        output = operation.output(0)


def _is_shape(target: Any) -> bool:
    """Whether the user of an output needs only its shape, as the initial state of a recurrent layer does."""
    return bool(target.get_node().get_type_name() == "ShapeOf")


def _has_constant(operation: Any) -> bool:
    return operation.get_type_name() in _WITH_CONSTANT and any(
        port.get_node().get_type_name() == "Constant" for port in operation.input_values()
    )


def _products(operation: Any) -> int:
    """The multiplications of a weighted layer for one frame."""
    outputs = int(np.prod(_lengths(operation.output(0))))
    weights = list(operation.input_value(1).get_shape())
    if operation.get_type_name() == "Convolution":
        return outputs * int(np.prod(weights[1:]))
    if operation.get_type_name() == "GroupConvolution":
        return outputs * int(np.prod(weights[2:]))
    return outputs * int(np.prod(weights)) // _lengths(operation.output(0))[-1]


def _is_static(output: Any) -> bool:
    return all(dimension.is_static for dimension in list(output.get_partial_shape())[1:])


def _lengths(output: Any) -> list[int]:
    """The shape without the batch."""
    return [dimension.get_length() for dimension in list(output.get_partial_shape())[1:]]


def _compile(graph: Any, output: Any) -> Probe:
    openvino = import_openvino()
    layer = openvino.Model([output], graph.get_parameters()).clone()
    compiled = openvino.Core().compile_model(layer, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def probe(planes: Frames) -> NDArray[np.float32]:
        parts = [planes[at : at + PROBED_AT_ONCE] for at in range(0, len(planes), PROBED_AT_ONCE)]
        return np.concatenate([compiled(np.ascontiguousarray(part))[0].copy() for part in parts])

    return probe


def _behind(graph: Any, output: Any, axis: int, tables: ColumnTables) -> Any:
    """The rest of the graph, from features `(N, positions, F)`."""
    openvino = import_openvino()
    import openvino.opset13 as operations

    lengths = _lengths(output)
    others = [length for at, length in enumerate(lengths, start=1) if at != axis]
    order = [0, *range(2, axis + 1), 1, *range(axis + 1, len(lengths) + 1)]
    features = operations.parameter([-1, *tables.shape], np.float32, name="features")
    separate = operations.reshape(features, np.array([0, lengths[axis - 1], *others]), special_zero=True)
    transposed = operations.transpose(separate, np.array(order))
    for target in list(output.get_target_inputs()):
        target.replace_source_output(transposed.output(0))
    count = operations.gather(operations.shape_of(features), np.array([0]), np.int64(0))
    for operation in graph.get_ops():
        if operation.get_type_name() == "ShapeOf" and _is_before(graph.get_parameters()[0], operation.input_value(0)):
            shape = operations.concat([count, operations.constant(np.array(_lengths(operation.input_value(0))))], 0)
            converted = operations.convert(shape, operation.get_output_element_type(0).to_string())
            operation.output(0).replace(converted.output(0))
    return openvino.Model(graph.get_results(), [features])


def _is_before(parameter: Any, output: Any) -> bool:
    """Whether `output` belongs to the operations between the frames and the split."""
    while output.get_node().get_type_name() in _LAYOUT | _WITH_CONSTANT | _WEIGHTED:
        output = next(port for port in output.get_node().input_values() if port.get_node().get_type_name() != "Constant")
    return bool(output.get_node().get_friendly_name() == parameter.get_friendly_name())
