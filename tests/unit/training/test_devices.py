"""Training on two devices with each backend of Keras; one processor is divided into two devices."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from coinfarm.training.devices import Devices
from tests.support.repository import ROOT

pytestmark = pytest.mark.tensorflow

TRAIN = """
import os, sys
from pathlib import Path
if os.environ["KERAS_BACKEND"] == "jax":
    sys.modules["tensorflow"] = None  # Keras would load it to set its seed
import keras, numpy as np
if keras.backend.backend() == "tensorflow":
    import tensorflow as tf
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2)
from coinfarm.errors import CoinfarmError
from coinfarm.candles.synthetic import generate
from coinfarm.training.dataset import build_dataset
from coinfarm.training.devices import Devices
from coinfarm.training.loop import train_network, predict_pct
from tests.support.tiny_training import training_config

folder, policy = Path(sys.argv[1]), sys.argv[2]
(folder / "DEMO-1h.parquet").touch()
image = {"dense_units": 4, "blocks": [{"filters": 4, "strides": [8, 5]}]}
columns = {"view": "columns", "dense_units": 4, "blocks": [{"filters": 4, "kernel": [1, 1]}]}
config = training_config(folder / "DEMO-1h.parquet", network=image, batch_size=8, steps_per_epoch=2, epochs=1)
part = build_dataset([generate("DEMO", "1h", 1_577_836_800_000, 260, seed=1)], config.train, (30,))
two = Devices(("cpu:0", "cpu:1"), policy)
with two.scope():
    if keras.backend.backend() == "tensorflow":
        assert tf.distribute.get_strategy().num_replicas_in_sync == 2
    else:
        assert keras.distribution.distribution().device_mesh.shape == (2,)
losses = []
model = train_network(config, part, part, folder / "run", lambda epoch, logs: losses.append(logs), devices=two)
again = train_network(config, part, part, folder / "run", lambda epoch, logs: losses.append(logs), devices=two)
assert len(losses) == 1 and np.isfinite(losses[0]["val_loss"]), losses
assert {layer.compute_dtype for layer in model.layers} == {"float32"}
assert all((a == b).all() for a, b in zip(model.get_weights(), again.get_weights(), strict=True))
predicted = predict_pct(model, part, "percent")
assert predicted.shape == (len(part), 3) and np.isfinite(predicted).all()
if keras.backend.backend() == "jax":  # TensorFlow cannot distribute two networks in one process
    one_step = training_config(folder / "DEMO-1h.parquet", network=columns, batch_size=8, steps_per_epoch=1, epochs=1)
    train_network(one_step, part, part, folder / "columns", lambda epoch, logs: losses.append(logs), devices=two)
    assert len(losses) == 2 and np.isfinite(losses[1]["val_loss"]), losses
try:
    train_network(config.model_copy(update={"batch_size": 7}), part, part, folder / "odd", print, devices=two)
except CoinfarmError as error:
    print(error)
one = build_dataset([generate("DEMO", "1h", 1_577_836_800_000, 230, seed=1)], config.train, (30,))
try:
    train_network(config, part, one, folder / "one", print, devices=two)
except CoinfarmError as error:
    print(error)
"""


BACKENDS = [name for name in ("tensorflow", "jax") if find_spec(name)]


@pytest.mark.parametrize(("flag", "policy"), [("avx512_bf16", "mixed_bfloat16"), ("avx2", "float32")])
def test_a_processor_trains_in_bfloat16_if_it_multiplies_it(flag: str, policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coinfarm.training.devices.has_gpu", lambda: False)
    monkeypatch.setattr("coinfarm.training.devices.processor_flags", lambda: frozenset({flag}))
    assert Devices.available() == Devices(("cpu:0",), policy)


@pytest.fixture(scope="module")
def trainings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, subprocess.Popen[str]]:
    """A process for each backend, at the same time."""
    xla = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    return {
        name: subprocess.Popen(
            [sys.executable, "-c", TRAIN, str(tmp_path_factory.mktemp(name)), "mixed_bfloat16"],
            cwd=ROOT, env={**os.environ, **xla, "KERAS_BACKEND": name}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for name in BACKENDS
    }  # fmt: skip


@pytest.mark.parametrize("backend", BACKENDS)
def test_divides_batches_among_two_devices(trainings: dict[str, subprocess.Popen[str]], backend: str) -> None:
    output, errors = trainings[backend].communicate()
    assert trainings[backend].returncode == 0, errors
    assert "batch_size 7" in output
    assert "validation" in output
