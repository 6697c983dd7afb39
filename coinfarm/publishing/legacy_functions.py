"""TensorFlow's functions that networks of Keras 2 call between their layers, and the operations of Keras 3 that compute the same."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Operation(NamedTuple):
    """The operation `name` of a module of `keras.src.ops`.

    `inputs` are TensorFlow's names of what the function takes after its first argument. `options` are its names of what is fixed when the
    network is built, and Keras' names of the same. `defaults` are TensorFlow's where those of Keras differ.
    """

    name: str
    module: str = "numpy"
    inputs: tuple[str, ...] = ()
    options: Mapping[str, str] = {}
    defaults: Mapping[str, Any] = {}


def _of_two(**names: str) -> dict[str, Operation]:
    return {f"math.{function}": Operation(name, inputs=("y",)) for function, name in names.items()}


def _of_one(**names: str) -> dict[str, Operation]:
    return {f"math.{function}": Operation(name) for function, name in names.items()}


def _over_axes(**names: str) -> dict[str, Operation]:
    options = {"axis": "axis", "keepdims": "keepdims"}
    return {f"math.reduce_{function}": Operation(name, options=options) for function, name in names.items()}


def _activations(**names: str) -> dict[str, Operation]:
    return {f"nn.{function}": Operation(name, "nn") for function, name in names.items()}


def _in_both_versions(**operations: Operation) -> dict[str, Operation]:
    """Functions that Keras 2 stored under either of two names."""
    return {f"{version}{function}": operation for function, operation in operations.items() for version in ("", "compat.v1.")}


_AXIS = {"axis": "axis"}

OPERATIONS: dict[str, Operation] = {
    "__operators__.add": Operation("Add", inputs=("y",)),
    **_of_two(add="Add", subtract="Subtract", multiply="Multiply", truediv="TrueDivide", divide="TrueDivide", divide_no_nan="DivideNoNan"),
    **_of_two(pow="Power", floordiv="FloorDivide", maximum="Maximum", minimum="Minimum", logical_and="LogicalAnd", logical_or="LogicalOr"),
    **_of_two(greater="Greater", greater_equal="GreaterEqual", less="Less", less_equal="LessEqual", equal="Equal", not_equal="NotEqual"),
    **_of_one(negative="Negative", abs="Absolute", sign="Sign", floor="Floor", ceil="Ceil", square="Square", sqrt="Sqrt"),
    **_of_one(exp="Exp", log="Log", log1p="Log1p", sin="Sin", cos="Cos", tanh="Tanh", logical_not="LogicalNot"),
    "math.rsqrt": Operation("Rsqrt", "math"),
    "math.sigmoid": Operation("Sigmoid", "nn"),
    "math.softplus": Operation("Softplus", "nn"),
    **_activations(relu="Relu", relu6="Relu6", silu="Silu", elu="Elu", selu="Selu", softsign="Softsign"),
    "nn.leaky_relu": Operation("LeakyRelu", "nn", options={"alpha": "negative_slope"}),
    "nn.gelu": Operation("Gelu", "nn", options={"approximate": "approximate"}, defaults={"approximate": False}),
    "nn.softmax": Operation("Softmax", "nn", options=_AXIS),
    "nn.log_softmax": Operation("LogSoftmax", "nn", options=_AXIS),
    **_over_axes(mean="Mean", max="Max", min="Min", sum="Sum", prod="Prod", std="Std", variance="Var"),
    "math.argmax": Operation("Argmax", options=_AXIS, defaults={"axis": 0}),
    "concat": Operation("Concatenate", options=_AXIS),
    "stack": Operation("Stack", options=_AXIS),
    "unstack": Operation("Unstack", "core", options={"num": "num", "axis": "axis"}),
    "split": Operation("Split", options={"num_or_size_splits": "indices_or_sections", "axis": "axis"}),
    "reshape": Operation("Reshape", options={"shape": "newshape"}),
    "expand_dims": Operation("ExpandDims", options=_AXIS),
    **_in_both_versions(
        transpose=Operation("Transpose", options={"perm": "axes"}),
        squeeze=Operation("Squeeze", options=_AXIS),
        pad=Operation("Pad", options={"paddings": "pad_width", "mode": "mode"}),
    ),
    "reverse": Operation("Flip", options=_AXIS),
    "tile": Operation("Tile", options={"multiples": "repeats"}),
    "where": Operation("Where", inputs=("x", "y")),
    "clip_by_value": Operation("Clip", options={"clip_value_min": "x_min", "clip_value_max": "x_max"}),
    "cast": Operation("Cast", "core", options={"dtype": "dtype"}),
    "zeros_like": Operation("ZerosLike"),
    "ones_like": Operation("OnesLike"),
    "linalg.matmul": Operation("Matmul", inputs=("b",)),
    "image.resize": Operation(
        "Resize",
        "image",
        options={"size": "size", "method": "interpolation"},
        defaults={"interpolation": "bilinear", "data_format": "channels_last"},
    ),
    "stop_gradient": Operation("StopGradient", "core"),
}
"""By the function's name after `tf.`."""
