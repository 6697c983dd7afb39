from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from coinfarm.training.architecture import architecture
from coinfarm.training.config import REFERENCE_NETWORK, BlockConfig, NetworkConfig
from coinfarm.training.network import build_network

pytestmark = pytest.mark.tensorflow

MEAN_TARGET = np.array([0.3, -0.25, 0.02])


@pytest.fixture(scope="module")
def network(keras: ModuleType) -> Any:
    keras.utils.set_random_seed(1)
    return build_network(REFERENCE_NETWORK, MEAN_TARGET)


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


def test_adds_residuals_dilates_and_attends(keras: ModuleType, tmp_path: Path) -> None:
    """A dilated block sees 2 * 4 + 1 candles, and its residual what the block before gave; attention sees all."""
    blocks = (
        BlockConfig(filters=4, kernel=(1, 1)),
        BlockConfig(filters=4, dilation=4, residual=True),
        BlockConfig(filters=8, strides=(10, 1), attention_heads=2),
    )
    small = build_network(NetworkConfig(view="columns", blocks=blocks, dense_units=6), MEAN_TARGET)
    frames = np.zeros((2, 200, 150, 3), np.float32)
    frames[1, 100] = 1
    changed = {}
    for name in ("relu1", "relu2", "attention_norm3"):
        empty, one_candle = np.asarray(keras.Model(small.input, small.get_layer(name).output)(frames))
        changed[name] = np.flatnonzero(np.abs(one_candle - empty).max(axis=1) > 1e-6)
    assert changed["relu1"].tolist() == [100]
    assert set(changed["relu2"]) <= {96, 100, 104} > {100}
    assert len(changed["attention_norm3"]) == 20
    small.save(tmp_path / "small.keras")
    loaded = keras.saving.load_model(tmp_path / "small.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded(frames), small(frames))


def test_counts_the_multiply_adds_of_attention() -> None:
    block = BlockConfig(filters=8, strides=(10, 1), attention_heads=2)
    small = build_network(NetworkConfig(view="columns", blocks=(block,)), MEAN_TARGET)
    attention = next(layer for layer in architecture(small) if layer.name == "attention1")
    assert attention.multiply_adds == 20 * 4 * 8 * 8 + 2 * 20 * 20 * 8
