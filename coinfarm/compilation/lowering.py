"""Lowers one-dimensional convolutions to two-dimensional ones with a constant factor in their weights, as quantisation needs them.

TensorFlow computes a `Conv1D` as a two-dimensional convolution between `Unsqueeze` and `Squeeze`. These separate it from the batch
normalisation that follows: it is not folded into the weights, and the quantiser puts its scale on the raw output of the convolution.
It computes a dilated one between `SpaceToBatch` and `BatchToSpace`, which copy the features.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_ACTIVATIONS = {
    "Relu",
    "Sigmoid",
    "Tanh",
    "Elu",
    "Gelu",
    "HSwish",
    "HSigmoid",
    "Swish",
    "Mish",
    "SoftPlus",
    "Clamp",
    "Exp",
    "Abs",
    "Negative",
}
_BROADCASTING = {"Add", "Subtract", "Multiply", "Divide", "Maximum", "Minimum"}


def lower(graph: Any) -> Any:
    """A copy of `graph`, which computes the same, up to rounding."""
    lowered = graph.clone()
    for step in (_dilate, _sink_squeeze, _remove_pair, _fold_padding, _fold_factor):
        for operation in lowered.get_ordered_ops():
            step(operation)
        lowered.validate_nodes_and_infer_types()
    return lowered


def _dilate(operation: Any) -> None:
    """Make a convolution between `SpaceToBatch` and `BatchToSpace` a dilated one."""
    if operation.get_type_name() != "BatchToSpace":
        return
    chain = [operation.input_value(0).get_node()]
    while chain[-1].get_type_name() in ("Squeeze", "Unsqueeze", "Reshape", "Convolution") and len(chain) < 4:
        chain.append(chain[-1].input_value(0).get_node())
    if [each.get_type_name() for each in chain[1::2]] != ["Convolution", "SpaceToBatch"]:
        return
    convolution, split = chain[1::2]
    settings = [each.input_value(at).get_node() for each in (split, operation) for at in (1, 2, 3)]
    axis = convolution.get_output_partial_shape(0).rank.get_length() - 2
    attributes = convolution.get_attributes()
    has_pads = not _has_explicit_pads(attributes) or any(attributes["pads_begin"]) or any(attributes["pads_end"])
    if (
        has_pads
        or {*attributes["strides"], *attributes["dilations"]} != {1}
        or any(each.get_type_name() != "Constant" for each in settings)
    ):
        return
    block, before, after, block_again, cut_first, cut_last = (each.get_data() for each in settings)
    pads = np.array([before - cut_first, after - cut_last])
    if len(block) != axis + 1 or (block != block_again).any() or (pads < 0).any() or block[:-1].prod() != 1 or pads[:, :-1].any():
        return
    import openvino.opset13 as operations

    restored = operations.unsqueeze(split.input_value(0), np.array([axis]))
    dilated = operations.convolution(
        restored, convolution.input_value(1), [1, 1], [0, int(pads[0, -1])], [0, int(pads[1, -1])], [1, int(block[-1])]
    )
    operation.output(0).replace(operations.squeeze(dilated, np.array([axis])).output(0))


def _sink_squeeze(operation: Any) -> None:
    """Move `Squeeze` from the inputs of an elementwise operation, or of padding, to its output."""
    kind = operation.get_type_name()
    is_scalar_prelu = kind == "PRelu" and np.prod(operation.input_value(1).get_shape()) == 1
    if kind not in _ACTIVATIONS | _BROADCASTING and not is_scalar_prelu and not _is_zero_padding(operation):
        return
    data = operation.input_values() if kind in _BROADCASTING else operation.input_values()[:1]
    squeezed = {at: source for at, output in enumerate(data) if (source := _squeezed(output)) is not None}
    axes = {axis for _, axis in squeezed.values()}
    constants = {at: output.get_node() for at, output in enumerate(data) if output.get_node().get_type_name() == "Constant"}
    if len(axes) != 1 or len(squeezed) + len(constants) != len(data):
        return
    (axis,) = axes
    rank = data[next(iter(squeezed))].get_partial_shape().rank.get_length()
    if any(len(constant.get_output_shape(0)) > rank for constant in constants.values()):
        return
    import openvino.opset13 as operations

    targets = list(operation.output(0).get_target_inputs())
    for at, (source, _) in squeezed.items():
        operation.input(at).replace_source_output(source)
    for at, constant in constants.items():
        values = constant.get_data()
        aligned = np.expand_dims(values.reshape((1,) * (rank - values.ndim) + values.shape), axis)
        operation.input(at).replace_source_output(operations.constant(aligned).output(0))
    for at in (1, 2) if kind == "Pad" else ():
        widths = np.insert(operation.input_value(at).get_node().get_data(), axis, 0)
        operation.input(at).replace_source_output(operations.constant(widths).output(0))
    operation.validate_and_infer_types()
    squeeze = operations.squeeze(operation, np.array([axis]))
    for target in targets:
        target.replace_source_output(squeeze.output(0))


def _squeezed(output: Any) -> tuple[Any, int] | None:
    """The input and the axis of the operation behind `output`, if that only removes an axis of length 1."""
    operation = output.get_node()
    if operation.get_type_name() not in ("Squeeze", "Reshape"):
        return None
    source = operation.input_value(0)
    before, after = _dims(source), _dims(output)
    for axis in range(1, len(before)):
        if before[axis] == 1 and before[:axis] + before[axis + 1 :] == after:
            return source, axis
    return None


def _remove_pair(operation: Any) -> None:
    """Connect the users of an operation that restores the axis which the one before it removed."""
    if operation.get_type_name() not in ("Unsqueeze", "Reshape"):
        return
    squeezed = _squeezed(operation.input_value(0))
    if squeezed is not None and _dims(squeezed[0]) == _dims(operation.output(0)):
        operation.output(0).replace(squeezed[0])


def _has_explicit_pads(attributes: dict[str, Any]) -> bool:
    return attributes["auto_pad"] in ("explicit", "valid")


def _is_zero_padding(operation: Any) -> bool:
    if operation.get_type_name() != "Pad" or operation.get_attributes()["pad_mode"] != "constant":
        return False
    settings = [output.get_node() for output in operation.input_values()[1:]]
    return all(each.get_type_name() == "Constant" for each in settings) and not (len(settings) == 3 and settings[2].get_data().any())


def _fold_padding(operation: Any) -> None:
    """Make zeros around the input of a convolution its own padding; quantisation would separate the two."""
    if operation.get_type_name() != "Convolution" or not _is_zero_padding(padding := operation.input_value(0).get_node()):
        return
    before, after = (padding.input_value(at).get_node().get_data() for at in (1, 2))
    attributes = operation.get_attributes()
    if not _has_explicit_pads(attributes) or before[:2].any() or after[:2].any() or min(before.min(), after.min()) < 0:
        return
    import openvino.opset13 as operations

    pads_before, pads_after = (attributes["pads_begin"] + before[2:]).tolist(), (attributes["pads_end"] + after[2:]).tolist()
    source, weights = padding.input_value(0), operation.input_value(1)
    padded = operations.convolution(source, weights, attributes["strides"], pads_before, pads_after, attributes["dilations"])
    operation.output(0).replace(padded.output(0))


def _fold_factor(operation: Any) -> None:
    """Multiply the weights of a convolution by a constant factor per channel that follows it."""
    if operation.get_type_name() != "Multiply":
        return
    for at in (0, 1):
        convolution, factor = operation.input_value(at).get_node(), operation.input_value(1 - at).get_node()
        if convolution.get_type_name() != "Convolution" or factor.get_type_name() != "Constant":
            continue
        weights = convolution.input_value(1).get_node()
        scale = _per_channel(factor.get_data(), convolution.get_output_partial_shape(0)[1])
        if scale is None or weights.get_type_name() != "Constant" or len(convolution.output(0).get_target_inputs()) != 1:
            continue
        import openvino.opset13 as operations

        scaled = weights.get_data() * scale.reshape(-1, *[1] * (weights.get_data().ndim - 1))
        convolution.input(1).replace_source_output(operations.constant(scaled.astype(np.float32)).output(0))
        operation.output(0).replace(convolution.output(0))
        return


def _per_channel(factor: NDArray[np.float32], channels: Any) -> NDArray[np.float32] | None:
    """The factor as `(channels,)`, if it varies along the second axis only."""
    count = channels.get_length()
    if factor.size == 1:
        return np.full(count, factor.reshape(()), np.float32)
    return factor.reshape(count) if factor.ndim >= 2 and factor.shape[1] == count == factor.size else None


def _dims(output: Any) -> list[int]:
    """The shape; -1 for a dynamic axis."""
    return [dimension.get_length() if dimension.is_static else -1 for dimension in output.get_partial_shape()]
