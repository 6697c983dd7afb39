from collections import Counter
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from coinfarm.compilation.converter import convert_model
from coinfarm.compilation.lowering import lower
from coinfarm.engines import keras as keras_engine
from coinfarm.engines.openvino_import import import_openvino

pytestmark = pytest.mark.tensorflow

Build = Callable[[Any, Any], Any]


def unit(layers: Any, x: Any, **options: Any) -> Any:
    return layers.BatchNormalization()(layers.Conv1D(8, 3, use_bias=False, padding="same", **options)(x))


def plain(layers: Any, x: Any) -> Any:
    return layers.LeakyReLU()(unit(layers, layers.ReLU()(unit(layers, x)), strides=2))


def residual(layers: Any, x: Any) -> Any:
    x = layers.ReLU()(unit(layers, x))
    return layers.ReLU()(layers.Add()([x, unit(layers, layers.ReLU()(unit(layers, x)))]))


def dilated(layers: Any, x: Any) -> Any:
    for rate in (2, 4):
        x = layers.ReLU()(unit(layers, x, dilation_rate=rate))
    return layers.Conv1D(8, 3, dilation_rate=8, padding="causal")(x)


def pooled(layers: Any, x: Any) -> Any:
    return unit(layers, layers.MaxPooling1D(2)(layers.ReLU()(unit(layers, x))))


def image(layers: Any, x: Any) -> Any:
    x = layers.Conv2D(8, 3, strides=4, use_bias=False)(layers.Reshape((200, 450, 1))(x))
    return layers.ReLU()(layers.BatchNormalization()(x))


def attention(layers: Any, x: Any) -> Any:
    x = layers.ReLU()(unit(layers, x, strides=4))
    return unit(layers, layers.Add()([x, layers.MultiHeadAttention(2, 4)(x, x)]))


@pytest.mark.parametrize("build", [plain, residual, dilated, pooled, image, attention])
def test_the_lowered_graph_computes_the_same(build: Build, keras: ModuleType) -> None:
    keras.utils.set_random_seed(1)
    frame = keras.Input((200, 150, 3))
    x = build(keras.layers, keras.layers.Reshape((200, 450))(frame))
    model = keras.Model(frame, keras.layers.Dense(3)(keras.layers.Flatten()(x)))
    random = np.random.default_rng(0)
    model.set_weights([weights + random.uniform(0.1, 0.2, weights.shape) for weights in model.get_weights()])
    graph = convert_model(keras_engine._trace([model]).get_concrete_function())
    assert len(graph.outputs) == 1  # attention has inner results that the converter makes outputs
    before = run(graph)
    lowered = lower(graph)
    np.testing.assert_allclose(run(lowered), before, rtol=1e-3)
    np.testing.assert_array_equal(run(graph), before)  # it is a copy
    kinds = Counter(operation.get_type_name() for operation in lowered.get_ops())
    assert kinds["SpaceToBatch"] == kinds["BatchToSpace"] == 0
    assert kinds["Squeeze"] <= (3 if build is attention else 1)  # not between convolutions
    factors = [operation for operation in lowered.get_ops() if operation.get_type_name() == "Multiply"]
    assert not any(port.get_node().get_type_name() == "Convolution" for factor in factors for port in factor.input_values())


def run(graph: Any) -> Any:
    planes = np.random.default_rng(0).integers(0, 2, (3, 3, 200, 150)).astype(np.uint8)
    compiled = import_openvino().Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return compiled(planes)[0].copy()
