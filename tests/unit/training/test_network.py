from types import ModuleType
from typing import Any

import numpy as np
import pytest

from coinfarm.training.architecture import architecture
from coinfarm.training.config import BlockConfig, NetworkConfig
from coinfarm.training.network import build_network

pytestmark = pytest.mark.tensorflow

MEAN_TARGET = np.array([0.3, -0.25, 0.02])


@pytest.fixture(scope="module")
def network(keras: ModuleType) -> Any:
    keras.utils.set_random_seed(1)
    return build_network(NetworkConfig(), MEAN_TARGET)


def test_the_reference_network_has_the_documented_size(network: Any) -> None:
    assert 25 <= len(network.layers) <= 30
    assert 1.5e6 <= network.count_params() <= 2.5e6
    assert sum(layer.multiply_adds for layer in architecture(network)) <= 100_000_000
    assert (network.input_shape, network.output_shape) == ((None, 200, 150, 3), (None, 3))


def test_an_untrained_network_predicts_the_mean_target(network: Any) -> None:
    frames = np.random.default_rng(1).integers(0, 2, (4, 200, 150, 3)).astype(np.float32)
    predicted = np.asarray(network(frames, training=False))
    np.testing.assert_allclose(predicted, np.tile(MEAN_TARGET, (4, 1)), atol=0.05)


def test_builds_the_network_of_a_config(keras: ModuleType) -> None:
    blocks = (BlockConfig(filters=4, strides=(4, 3)), BlockConfig(filters=8, strides=(5, 5), pool=(2, 1)))
    small = build_network(NetworkConfig(blocks=blocks, dense_units=6), MEAN_TARGET)
    assert [layer.filters for layer in small.layers if isinstance(layer, keras.layers.Conv2D)] == [4, 8]
    assert small.get_layer("flatten").output.shape == (None, 5 * 10 * 8)
    assert small.get_layer("dense").units == 6


def test_a_column_network_convolves_along_candles_only() -> None:
    blocks = (BlockConfig(filters=4, kernel=(1, 1)), BlockConfig(filters=8, kernel=(5, 1), strides=(2, 1), pool=(5, 1)))
    small = build_network(NetworkConfig(view="columns", blocks=blocks), MEAN_TARGET)
    assert small.get_layer("columns").output.shape == (None, 200, 450)
    assert small.get_layer("flatten").output.shape == (None, 20 * 8)


def test_a_separable_block_has_fewer_multiply_adds() -> None:
    def cost(separable: bool) -> int:
        blocks = (BlockConfig(filters=4, strides=(4, 3)), BlockConfig(filters=64, separable=separable))
        small = build_network(NetworkConfig(blocks=blocks), MEAN_TARGET)
        return sum(layer.multiply_adds for layer in architecture(small) if layer.name in ("depthwise2", "conv2"))

    assert cost(separable=True) == 50 * 50 * (4 * 9 + 4 * 64)
    assert cost(separable=False) == 50 * 50 * 4 * 9 * 64
