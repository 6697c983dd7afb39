"""The hard_sigmoid of Keras 2, in networks of Keras 3."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from coinfarm.errors import CoinfarmError
from coinfarm.publishing.legacy_hard_sigmoid import rescale_hard_sigmoids

pytestmark = pytest.mark.tensorflow
SERIES = np.random.RandomState(0).normal(size=(2, 6, 6, 3)).astype(np.float32)


def of_keras_2(x: Any) -> Any:
    from keras import ops

    return ops.clip(0.2 * x + 0.5, 0, 1)


@pytest.mark.parametrize("kind", ["Dense", "Conv2D", "LSTM", "GRU", "ConvLSTM1D", "Bidirectional"])
def test_predicts_as_with_the_function_of_keras_2(keras: ModuleType, kind: str) -> None:
    layers = keras.layers

    series = [] if kind.startswith("Conv") or kind == "Dense" else [layers.TimeDistributed(layers.Flatten())]

    def layer_with(function: Any) -> Any:
        if kind == "Bidirectional":
            return layers.Bidirectional(layers.LSTM(4, recurrent_activation=function))
        if kind in ("LSTM", "GRU"):
            return getattr(layers, kind)(4, recurrent_activation=function)
        return {
            "Dense": lambda: layers.Dense(4, function),
            "Conv2D": lambda: layers.Conv2D(4, 3, activation=function),
            "ConvLSTM1D": lambda: layers.ConvLSTM1D(4, 3, recurrent_activation=function),
        }[kind]()

    def network(function: Any) -> Any:
        keras.utils.set_random_seed(1)
        with keras.saving.custom_object_scope({"of_keras_2": of_keras_2}):
            built = keras.Sequential([keras.Input(SERIES.shape[1:]), *series, layer_with(function), layers.Flatten(), layers.Dense(3)])
        built.set_weights([weights + 0.2 for weights in built.get_weights()])
        return built

    expected = np.asarray(network(of_keras_2)(SERIES))
    found = network("hard_sigmoid")
    assert np.abs(np.asarray(found(SERIES)) - expected).max() > 1e-3
    rescale_hard_sigmoids(found)
    np.testing.assert_allclose(np.asarray(found(SERIES)), expected, rtol=1e-5, atol=1e-6)


def test_a_layer_without_weights_is_an_error(keras: ModuleType) -> None:
    network = keras.Sequential([keras.Input((3,)), keras.layers.Activation("hard_sigmoid", name="gate")])
    with pytest.raises(CoinfarmError, match="gate"):
        rescale_hard_sigmoids(network)
