from types import ModuleType

import numpy as np
import pytest

from coinfarm.compilation.converter import convert_model
from coinfarm.engines.openvino_import import import_openvino

pytestmark = pytest.mark.tensorflow


def test_converts_attention_with_the_outputs_of_the_function(keras: ModuleType) -> None:
    import tensorflow as tf

    x = keras.Input((5, 8))
    model = keras.Model(x, keras.layers.Flatten()(keras.layers.MultiHeadAttention(2, 4)(x, x)))
    traced = tf.function(lambda values: model(values, training=False)).get_concrete_function(tf.TensorSpec((None, 5, 8)))
    values = np.random.default_rng(1).normal(size=(3, 5, 8)).astype(np.float32)
    compiled = import_openvino().Core().compile_model(convert_model(traced), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    (found,) = compiled(values).values()
    np.testing.assert_allclose(found, np.asarray(model(values)), atol=1e-5)
