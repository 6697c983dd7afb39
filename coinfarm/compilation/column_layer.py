"""Recognises a first layer that is linear in single candles, whatever operations compute it, by probing it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coinfarm.engines.column_tables import ColumnTables
from coinfarm.engines.openvino_import import import_openvino
from image_render.render import Frames, as_planes
from image_render.rows import Rows
from image_render.spec import CHANNEL_COUNT, STANDARD

Probe = Callable[[Frames], NDArray[np.float32]]
"""The layer: planes `(N, 3, 200, 150)` to its output `(N, …)`."""

_LAYOUT = {"Convert", "Pad", "Transpose", "Reshape", "Squeeze", "Unsqueeze"}
_WITH_CONSTANT = {"Add", "Subtract", "Multiply", "Divide"}
_WEIGHTED = {"Convolution", "GroupConvolution", "MatMul"}
_PRODUCTS_PER_ADDITION = 8
"""A processor multiplies and adds about so many weights in the time of adding one table value."""
_MAX_OFFSETS = 16
_TOLERANCE = 1e-4
"""Of the largest table value or bias: the layer itself rounds a sum of 450 products or more in float32."""
_PROBED_AT_ONCE = 50


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
        for axis, found in _tables(probe, _lengths(output)):
            saved = products - _PRODUCTS_PER_ADDITION * found.additions
            if saved > (best[0] if best else 0) and _reproduces(found, probe, axis, frames):
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
        parts = [planes[at : at + _PROBED_AT_ONCE] for at in range(0, len(planes), _PROBED_AT_ONCE)]
        return np.concatenate([compiled(np.ascontiguousarray(part))[0].copy() for part in parts])

    return probe


def _tables(probe: Probe, lengths: list[int]) -> Iterator[tuple[int, ColumnTables]]:
    """For each axis of the layer's output that can be the position in time, the tables that its responses to single pixels yield."""
    count, rows = STANDARD.window_candles, STANDARD.price_rows
    blank = np.zeros((1, CHANNEL_COUNT, count, rows), np.uint8)
    single = np.zeros((count, CHANNEL_COUNT, count, rows), np.uint8)
    at = np.arange(count)
    single[at, :, at] = np.random.default_rng(0).integers(0, 2, (count, CHANNEL_COUNT, rows))
    without, responses = probe(blank), probe(single)
    if len(responses) != count:
        return  # a reshape merged frames and candles
    is_changed = responses != without
    for axis, positions in enumerate(lengths, start=1):
        if not 2 <= positions <= count:
            continue
        # (candles, positions): which candle changes which position
        changed = np.moveaxis(is_changed, axis, 1).reshape(count, positions, -1).any(axis=2)
        geometry = _geometry(changed)
        if geometry is None:
            continue
        stride, offsets = geometry
        yield axis, _probed(probe, axis, stride, offsets, _features(without, axis)[0])


def _geometry(changed: NDArray[np.bool_]) -> tuple[int, NDArray[np.int32]] | None:
    """The stride and the offsets of a layer that moves along the candles; None for any other."""
    count, positions = changed.shape
    for stride in range(1, count // positions + 2):
        offsets = np.unique(np.concatenate([np.flatnonzero(changed[:, at]) - stride * at for at in range(positions)]))
        if len(offsets) == 0 or len(offsets) > _MAX_OFFSETS:
            continue
        candles = stride * np.arange(positions)[:, None] + offsets
        expected = np.zeros((positions, count), np.bool_)
        inside = (candles >= 0) & (candles < count)
        expected[np.nonzero(inside)[0], candles[inside]] = True
        if (changed == expected.T).all():
            return stride, offsets.astype(np.int32)
    return None


def _probed(probe: Probe, axis: int, stride: int, offsets: NDArray[np.int32], bias: NDArray[np.float32]) -> ColumnTables:
    """The tables of the weights at the position in the middle."""
    middle = min(len(bias) // 2, (STANDARD.window_candles - 1 - int(offsets.max())) // stride)
    pixels = np.arange(CHANNEL_COUNT * STANDARD.price_rows)
    weights = []
    for offset in offsets:
        planes = np.zeros((len(pixels), CHANNEL_COUNT, STANDARD.window_candles, STANDARD.price_rows), np.uint8)
        planes[pixels, pixels // STANDARD.price_rows, stride * middle + offset, pixels % STANDARD.price_rows] = 1
        responses = _features(probe(planes), axis)[:, middle].astype(np.float64) - bias[middle]
        weights.append(responses.reshape(CHANNEL_COUNT, STANDARD.price_rows, -1))
    return ColumnTables.from_weights(np.array(weights), bias.astype(np.float64), offsets, stride)


def _features(output: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """The layer's output as `(N, positions, F)`."""
    return np.moveaxis(output, axis, 1).reshape(len(output), output.shape[axis], -1)


def _reproduces(tables: ColumnTables, probe: Probe, axis: int, frames: Frames) -> bool:
    """Whether the tables give the layer's output on real frames and on random rows."""
    tolerance = _TOLERANCE * float(max(np.abs(tables.tables).max(), np.abs(tables.bias).max()))
    rows = random_rows(_PROBED_AT_ONCE)
    pairs = [
        (tables.multiply(frames), probe(as_planes(frames))),
        (tables.look_up(rows), probe(planes_of(rows))),
    ]
    return all(np.abs(found - _features(output, axis)).max() <= tolerance for found, output in pairs)


def random_rows(count: int) -> Rows:
    """Runs of all positions and lengths, and every volume `(count, 200, 5)`."""
    random = np.random.default_rng(1)
    shape = (count, STANDARD.window_candles, 2)
    body, wick = (np.sort(random.integers(0, STANDARD.price_rows, shape), axis=2) for _ in range(2))
    volume = random.integers(0, STANDARD.price_rows + 1, shape)[..., :1]
    return np.concatenate([body, wick, volume], axis=2).astype(np.uint8)


def planes_of(rows: Rows) -> Frames:
    """The planes `(N, 3, 200, 150)` of rows."""
    body_low, body_high, wick_low, wick_high, volume = (rows[:, :, number, None] for number in range(rows.shape[2]))
    row = np.arange(STANDARD.price_rows)
    body, wick = (body_low <= row) & (row <= body_high), (wick_low <= row) & (row <= wick_high)
    return np.stack([body, wick, row < volume], axis=1).astype(np.uint8)


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
