"""Networks on row numbers compute the same as on frames, with each backend of Keras."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from coinfarm.training.config import BlockConfig, NetworkConfig
from tests.support.repository import ROOT

pytestmark = pytest.mark.tensorflow

COMPARE = """
import os, sys
if os.environ["KERAS_BACKEND"] == "jax":
    sys.modules["tensorflow"] = None
import keras, numpy as np
from keras import ops
from coinfarm.training.config import NetworkConfig
from coinfarm.training.network import build_network
from coinfarm.training.row_input import with_column_sums, with_row_input
from image_render.rows import empty_rows

random = np.random.default_rng(1)
rows = empty_rows(4)
rows[..., [0, 1]] = np.sort(random.integers(0, 150, (4, 200, 2)), axis=-1)
rows[..., [2, 3]] = np.sort(random.integers(0, 150, (4, 200, 2)), axis=-1)
rows[..., 4] = random.integers(0, 151, (4, 200))
rows[0, 0], rows[0, 1], rows[0, 2] = (0, 149, 0, 149, 150), (0, 0, 0, 0, 0), (149, 149, 149, 149, 0)
keras.utils.set_random_seed(1)
blocks = [{"filters": 4, "kernel": [1, 1]}, {"filters": 4, "strides": [20, 1]}]
network = build_network(NetworkConfig(view="columns", blocks=blocks, dense_units=8, dropout=0), np.zeros(3))
before = network.get_weights()
results = []
for model in with_row_input(network), with_column_sums(network, "conv1"):
    network.set_weights(before)
    assert {id(variable) for variable in model.trainable_variables} == {id(variable) for variable in network.trainable_variables}
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse", jit_compile=False)
    predicted = ops.convert_to_numpy(model(rows))
    model.fit(rows, np.ones((4, 3)), batch_size=4, epochs=2, verbose=0)
    results.append((predicted, *network.get_weights()))
assert any((now != then).any() for now, then in zip(network.get_weights(), before))
for pixels, sums in zip(*results, strict=True):
    np.testing.assert_allclose(sums, pixels, rtol=1e-4, atol=1e-5)
"""


@pytest.mark.parametrize("backend", [name for name in ("tensorflow", "jax") if find_spec(name)])
def test_looks_up_what_the_pixels_would_give(backend: str) -> None:
    """Outputs, and weights after two steps."""
    environment = {**os.environ, "KERAS_BACKEND": backend}
    run = subprocess.run([sys.executable, "-c", COMPARE], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    ("first", "view", "expected"),
    [
        pytest.param({"kernel": (1, 1)}, "columns", True, id="one candle"),
        pytest.param({"kernel": (3, 1)}, "columns", False, id="three candles"),
        pytest.param({"kernel": (1, 1), "strides": (2, 1)}, "columns", False, id="every other candle"),
        pytest.param({"kernel": (1, 1)}, "image", False, id="one pixel"),
    ],
)
def test_only_networks_that_see_single_candles_first_look_up(first: dict[str, tuple[int, int]], view: str, expected: bool) -> None:
    config = NetworkConfig.model_validate({"view": view, "blocks": [BlockConfig(filters=4, **first)]})
    assert config.sees_single_candles_first is expected
