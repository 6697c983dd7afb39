from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from coinfarm.engines.float32 import in_float32

pytestmark = pytest.mark.tensorflow

Build = Callable[[], Any]


@pytest.fixture
def network(keras: ModuleType) -> Build:
    """Builds a network with a nested one, an operation and a normalisation, in the precision of the global policy."""

    def build() -> Any:
        keras.utils.set_random_seed(1)
        layers = keras.layers
        inner = keras.Sequential([keras.Input((8, 4)), layers.Conv1D(4, 3), layers.BatchNormalization(), layers.ReLU()])
        x = keras.Input((8, 4))
        y = layers.MultiHeadAttention(2, 4)(inner(x) * 2.0, inner(x))
        return keras.Model(x, layers.Dense(3)(layers.Flatten()(y)))

    return build


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "bfloat16", "float16", "float64"])
def test_networks_of_other_precisions_compute_in_float32(network: Build, keras: ModuleType, policy: str) -> None:
    keras.config.set_dtype_policy(policy)
    try:
        trained = network()
    finally:
        keras.config.set_dtype_policy("float32")
    converted, reference = in_float32(trained), network()
    reference.set_weights(trained.get_weights())
    values = np.random.default_rng(1).normal(size=(5, 8, 4)).astype(np.float32)
    found = np.asarray(converted(values, training=False))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.asarray(reference(values, training=False)), rtol=1e-5, atol=1e-6)


def test_a_network_in_float32_stays_as_it_is(network: Build) -> None:
    trained = network()
    assert in_float32(trained) is trained
