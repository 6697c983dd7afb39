"""Functions of TensorFlow in networks of Keras 2, compared with these functions themselves."""

from operator import attrgetter
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from coinfarm.errors import CoinfarmError
from coinfarm.publishing.legacy_config import upgraded
from coinfarm.publishing.legacy_functions import OPERATIONS

VALUES = np.random.RandomState(1).normal(size=(3, 4, 2)).astype(np.float32)
CASES: tuple[tuple[str, dict[str, Any]], ...] = (
    *((f"math.{name}", {"y": 0.5}) for name in ("add", "subtract", "multiply", "truediv", "divide", "maximum", "minimum", "floordiv")),
    *((f"math.{name}", {"y": 0.5}) for name in ("divide_no_nan", "greater", "greater_equal", "less", "less_equal", "equal", "not_equal")),
    *((f"math.{name}", {}) for name in ("negative", "abs", "sign", "floor", "ceil", "square", "exp", "sin", "cos", "tanh", "sigmoid")),
    *((f"nn.{name}", {}) for name in ("relu", "relu6", "silu", "elu", "selu", "softsign", "gelu", "leaky_relu", "softmax", "log_softmax")),
    *((f"math.reduce_{name}", {"axis": [1]}) for name in ("mean", "max", "min", "sum", "prod", "std", "variance")),
    ("math.pow", {"y": 2}),
    ("math.softplus", {}),
    ("math.multiply", {"y": [2.0, 3.0], "name": None}),
    ("math.reduce_mean", {"axis": -1, "keepdims": True}),
    ("math.argmax", {"axis": 2}),
    ("nn.gelu", {"approximate": True}),
    ("nn.leaky_relu", {"alpha": 0.4}),
    ("nn.softmax", {"axis": 1}),
    ("reshape", {"shape": [-1, 8]}),
    ("transpose", {"perm": [0, 2, 1]}),
    ("compat.v1.transpose", {"perm": [0, 2, 1], "name": "transpose", "conjugate": False}),
    ("expand_dims", {"axis": 1}),
    ("split", {"num_or_size_splits": 2, "axis": 1}),
    ("split", {"num_or_size_splits": [1, 3], "axis": 1}),
    ("unstack", {"axis": 1}),
    ("pad", {"paddings": [[0, 0], [1, 0], [0, 1]], "mode": "REFLECT"}),
    ("compat.v1.pad", {"paddings": [[0, 0], [1, 0], [0, 2]], "mode": "CONSTANT", "constant_values": 0}),
    ("reverse", {"axis": [1]}),
    ("tile", {"multiples": [1, 2, 1]}),
    ("clip_by_value", {"clip_value_min": -0.5, "clip_value_max": 0.5}),
    ("cast", {"dtype": "<dtype: 'int32'>"}),
    ("zeros_like", {}),
    ("ones_like", {}),
    ("stop_gradient", {}),
)
POSITIVE: tuple[tuple[str, dict[str, Any]], ...] = tuple((f"math.{name}", {}) for name in ("sqrt", "log", "log1p", "rsqrt"))


def call(name: str, *node: Any, function: str | None = None) -> dict[str, Any]:
    """A function between two layers as Keras 2 stored it; `node` is its call."""
    kind = "SlicingOpLambda" if function == "__operators__.getitem" else "TFOpLambda"
    return {"class_name": kind, "config": {"name": name, "function": function or name}, "name": name, "inbound_nodes": [list(node)]}


def network(keras: ModuleType, *layers: dict[str, Any], output: str) -> Any:
    """The network of Keras 3 from frames `(4, 2)` called x through these layers."""
    frame = {"batch_input_shape": [None, 4, 2], "dtype": "float32", "name": "x"}
    config = {
        "name": "network",
        "layers": [{"class_name": "InputLayer", "config": frame, "name": "x", "inbound_nodes": []}, *layers],
        "input_layers": [["x", 0, 0]],
        "output_layers": [[output, 0, 0]],
    }
    return keras.Model.from_config(upgraded({"class_name": "Functional", "config": config})["config"])


def assert_equal(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=1e-5, atol=1e-6)


@pytest.mark.tensorflow
@pytest.mark.parametrize(("function", "arguments"), CASES + POSITIVE)
def test_an_operation_computes_what_the_function_does(keras: ModuleType, function: str, arguments: dict[str, Any]) -> None:
    import tensorflow as tf

    values = np.abs(VALUES) if (function, arguments) in POSITIVE else VALUES
    built = network(keras, call("step", "x", 0, 0, arguments, function=function), output="step")
    real = {name: tf.int32 if name == "dtype" else value for name, value in arguments.items()}
    expected = attrgetter(function)(tf)(values, **real)
    assert_equal(built(values), expected[0] if isinstance(expected, list) else expected)


POSITIVE_X = call("positive", "x", 0, 0, {"y": 0.0}, function="math.greater")
LARGE_X = call("large", "x", 0, 0, {"y": 1.0}, function="math.greater")
_SUM = call("sum", "x", 0, 0, {"axis": -1, "keepdims": True}, function="math.reduce_sum")
ALL = {"start": None, "stop": None, "step": None}
STEPS: dict[str, tuple[tuple[dict[str, Any], ...], Any]] = {
    "a constant first": ((call("math.subtract", "_CONSTANT_VALUE", -1, 1.0, {"y": ["x", 0, 0]}),), 1 - VALUES),
    "two tensors": ((call("__operators__.add", "x", 0, 0, {"y": ["x", 0, 0]}),), VALUES + VALUES),
    "a list": ((call("concat", ["x", 0, 0, {"axis": 1}], ["x", 0, 0, {"axis": 1}]),), np.concatenate([VALUES, VALUES], 1)),
    "stack": ((call("stack", ["x", 0, 0, {"axis": 2}], ["x", 0, 0, {"axis": 2}]),), np.stack([VALUES, VALUES], 2)),
    "where": ((POSITIVE_X, call("where", "positive", 0, 0, {"x": ["x", 0, 0], "y": 7.0})), np.where(VALUES > 0, VALUES, 7)),
    "and": ((POSITIVE_X, LARGE_X, call("math.logical_and", "positive", 0, 0, {"y": ["large", 0, 0]})), VALUES > 1),
    "or": ((POSITIVE_X, LARGE_X, call("math.logical_or", "positive", 0, 0, {"y": ["large", 0, 0]})), VALUES > 0),
    "not": ((POSITIVE_X, call("math.logical_not", "positive", 0, 0, {})), VALUES <= 0),
    "squeeze": ((_SUM, call("squeeze", "sum", 0, 0, {"axis": [2]})), VALUES.sum(2)),
    "squeeze of version 1": ((_SUM, call("compat.v1.squeeze", "sum", 0, 0, {"axis": -1})), VALUES.sum(2)),
    "matmul": (
        (
            call("turned", "x", 0, 0, {"perm": [0, 2, 1]}, function="transpose"),
            call("linalg.matmul", "turned", 0, 0, {"b": ["x", 0, 0], "transpose_a": False}),
        ),
        VALUES.transpose(0, 2, 1) @ VALUES,
    ),
    "the second of several": (
        (
            call("parts", "x", 0, 0, {"num_or_size_splits": [1, 1, 2], "axis": 1}, function="split"),
            call("math.negative", "parts", 0, 2, {}),
        ),
        -VALUES[:, 2:],
    ),
    "resize": (
        (
            call("image", "x", 0, 0, {"axis": -1}, function="expand_dims"),
            call("image.resize", "image", 0, 0, {"size": [8, 4], "method": "nearest", "antialias": False}),
        ),
        VALUES.repeat(2, axis=1).repeat(2, axis=2)[..., None],
    ),
    "a slice": (
        (
            call(
                "part",
                "x",
                0,
                0,
                {"slice_spec": [ALL, None, {**ALL, "start": 3, "step": -2}, "Ellipsis", 1]},
                function="__operators__.getitem",
            ),
        ),
        VALUES[:, None, 3::-2, ..., 1],
    ),
    "a shape with the length of the batch": (
        (
            call("shape", "x", 0, 0, {"out_type": "int32"}, function="compat.v1.shape"),
            call("length", "shape", 0, 0, {"slice_spec": 0}, function="__operators__.getitem"),
            call("reshape", "x", 0, 0, {"shape": [["length", 0, 0], -1]}),
        ),
        VALUES.reshape(3, 8),
    ),
}


@pytest.mark.tensorflow
@pytest.mark.parametrize("case", STEPS)
def test_steps_that_depend_on_others(keras: ModuleType, case: str) -> None:
    layers, expected = STEPS[case]
    assert_equal(network(keras, *layers, output=layers[-1]["name"])(VALUES), expected)


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        pytest.param(call("image.adjust_hue", "x", 0, 0, {"delta": 0.1}), r"tf\.image\.adjust_hue", id="an unknown function"),
        pytest.param(call("linalg.matmul", "x", 0, 0, {"b": ["x", 0, 0], "transpose_b": True}), "transpose_b", id="an unknown option"),
        pytest.param(call("reshape", "x", 0, 0, {"shape": [-1, ["length", 0, 0]]}), "shape", id="an option that is a tensor"),
        pytest.param(call("einsum", "_CONSTANT_VALUE", -1, "bij->bj", {}), r"tf\.einsum", id="tensors that were not stored"),
        pytest.param(call("math.add", "x", 0, 0, {}), "y", id="an argument that was not stored"),
        pytest.param(
            call("part", "x", 0, 0, {"slice_spec": {**ALL, "stop": ["length", 0, 0]}}, function="__operators__.getitem"),
            "slice",
            id="a bound that is a tensor",
        ),
    ],
)
def test_names_the_function_that_cannot_be_translated(layer: dict[str, Any], words: str) -> None:
    with pytest.raises(CoinfarmError, match=words):
        upgraded({"layers": [layer]})


def test_every_function_is_compared() -> None:
    in_steps = {layer["config"]["function"] for layers, _ in STEPS.values() for layer in layers}
    assert OPERATIONS.keys() <= {function for function, _ in CASES + POSITIVE} | in_steps
