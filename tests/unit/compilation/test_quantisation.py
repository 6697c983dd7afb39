from types import ModuleType
from typing import Any

import numpy as np
import pytest

from coinfarm.compilation.converter import convert_model
from coinfarm.compilation.quantisation import FloatLayers, has_layers_to_quantise, quantise

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def graph(keras: ModuleType) -> Any:
    """Four convolutions and two dense layers."""
    import tensorflow as tf

    keras.utils.set_random_seed(1)
    x = image = keras.Input((20, 16, 3))
    for _ in range(4):
        x = keras.layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    x = keras.layers.Dense(16, activation="relu")(keras.layers.Flatten()(x))
    model = keras.Model(image, keras.layers.Dense(3)(x))
    traced = tf.function(lambda values: model(values, training=False))
    return convert_model(traced.get_concrete_function(tf.TensorSpec((None, 20, 16, 3))))


def quantised_layers(graph: Any) -> int:
    """The number of layers with quantised inputs."""

    def is_quantised(operation: Any) -> bool:
        before = operation.input_value(0).get_node()
        while before.get_type_name() in ("Reshape", "Transpose"):
            before = before.input_value(0).get_node()
        return bool(before.get_type_name() == "FakeQuantize")

    return sum(is_quantised(operation) for operation in graph.get_ops() if operation.get_type_name() in ("Convolution", "MatMul"))


@pytest.mark.parametrize(("float_layers", "count"), [(FloatLayers(1, 1), 4), (FloatLayers(3, 2), 1), (FloatLayers(4, 2), 0)])
def test_float_layers_are_not_quantised(graph: Any, float_layers: FloatLayers, count: int) -> None:
    if count:
        inputs = np.random.default_rng(1).normal(size=(10, 20, 16, 3)).astype(np.float32)
        assert quantised_layers(quantise(graph, inputs, float_layers)) == count
    assert has_layers_to_quantise(graph, float_layers) == (count > 0)
