"""A whole training run, tiny: made-up candles, a small network, a few steps, and the bundle that comes of it."""

import math
import os
import resource
import signal
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.candles.synthetic import generate
from coinfarm.engines.keras import KerasEngine
from coinfarm.errors import CoinfarmError
from coinfarm.models.bundle import Bundle
from coinfarm.prediction.model_manager import LoadedModel
from coinfarm.prediction.predictor import Predictor
from coinfarm.prediction.series import Series
from coinfarm.training.config import TrainingConfig
from coinfarm.training.loop import predict_pct, read_candle_files
from coinfarm.training.train import split, train
from tests.support.repository import ROOT
from tests.support.synthetic_candles import START_MS

pytestmark = pytest.mark.tensorflow

CONFIG = """
name = "tiny"
candles = ["DEMO1-1h.parquet", "DEMO2-30m.parquet"]
train = { start = 2020-01-01, stop = 2020-01-21 }
validation = { start = 2020-01-21, stop = 2020-02-02 }
test = { start = 2020-02-02, stop = 2020-02-14 }
batch_size = 8
steps_per_epoch = 3
epochs = 2
network = { dense_units = 4, blocks = [{ filters = 4, strides = [4, 5] }, { filters = 4, strides = [5, 5] }] }
"""
DAY_MS = 86_400_000


@dataclass
class Run:
    config: TrainingConfig
    folder: Path
    bundle: Bundle
    logs: dict[int, dict[str, float]]
    frames: list[int]


@pytest.fixture(scope="module")
def run(keras: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("training")
    config, logs, frames = written_config(folder), {}, []
    bundle = train(config, folder / "bundle", logs.__setitem__, on_frames=frames.append)
    return Run(config, folder / "bundle", bundle, logs, frames)


def written_config(folder: Path) -> TrainingConfig:
    for symbol, interval, per_day in (("DEMO1", "1h", 24), ("DEMO2", "30m", 48)):
        candles = generate(symbol, interval, START_MS, 44 * per_day, seed=1)
        (folder / f"{symbol}-{interval}.parquet").write_bytes(parquet_from_candles(candles))
    (folder / "tiny.toml").write_text(CONFIG)
    return TrainingConfig.read(folder / "tiny.toml")


def test_a_run_leaves_a_bundle_that_opens(run: Run) -> None:
    assert Bundle.open(run.folder) == run.bundle
    assert sorted(path.name for path in run.folder.iterdir()) == ["manifest.json", "model.keras"]


def test_progress_is_told_after_each_epoch(run: Run) -> None:
    assert sorted(run.logs) == [0, 1]
    assert all({"loss", "val_loss"} <= set(logs) for logs in run.logs.values())
    assert run.frames == [8, 16, 24, 32, 40, 48]


KILLED = """
import os, signal, sys
from pathlib import Path
from coinfarm.training.config import TrainingConfig
from coinfarm.training.train import train

def on_frames(frames):
    if frames == 40:
        os.kill(os.getpid(), signal.SIGKILL)

folder = Path(sys.argv[1])
train(TrainingConfig.read(folder / "tiny.toml"), folder / "bundle", lambda epoch, logs: None, on_frames=on_frames)
"""


def test_a_run_that_was_killed_goes_on_to_the_same_result(run: Run, keras: ModuleType, tmp_path: Path) -> None:
    config = written_config(tmp_path)
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False, cwd=ROOT, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert not (tmp_path / "bundle").exists()
    logs: dict[int, dict[str, float]] = {}
    bundle = train(config, tmp_path / "bundle", logs.__setitem__)
    assert logs == {1: run.logs[1]}
    assert bundle.manifest.metrics == run.bundle.manifest.metrics
    resumed, undisturbed = (keras.saving.load_model(folder / "model.keras") for folder in (tmp_path / "bundle", run.folder))
    assert resumed.get_weights()
    for found, expected in zip(resumed.get_weights(), undisturbed.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_training_ends_early_on_validation_and_keeps_the_best_epoch(keras: ModuleType, tmp_path: Path) -> None:
    config = written_config(tmp_path).model_copy(update={"epochs": 9, "patience_epochs": 2})
    told: list[int] = []

    def progress(epoch: int, logs: dict[str, float]) -> None:
        told.append(epoch)
        logs["val_loss"] = [0.5, 0.4, 0.6, 0.4, 0.1][epoch]

    bundle = train(config, tmp_path / "bundle", progress, tensorboard=tmp_path / "logs")
    assert told == [0, 1, 2, 3]
    assert {path.parent.name for path in (tmp_path / "logs").rglob("events*")} == {"train", "validation"}
    assert bundle.manifest.training is not None
    assert bundle.manifest.training.frames == 2 * 3 * 8


def test_a_loss_that_is_no_number_ends_the_run(keras: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(CoinfarmError, match=r"epoch 1 ended with a loss of nan: choose a smaller learning_rate"):
        train(written_config(tmp_path), tmp_path / "bundle", lambda epoch, logs: logs.update(val_loss=math.nan))


def test_logs_without_their_package_are_refused_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coinfarm.extras.find_spec", lambda name: None if name == "tensorboard" else name)
    with pytest.raises(CoinfarmError, match=r"pip install 'coinfarm\[train\]'"):
        train(written_config(tmp_path), tmp_path / "bundle", lambda epoch, logs: None, tensorboard=tmp_path / "logs")


def test_a_folder_with_something_in_it_is_refused(run: Run) -> None:
    with pytest.raises(CoinfarmError, match="bundle is not empty: choose another folder"):
        train(run.config, run.folder, lambda epoch, logs: None)


def test_the_manifest_says_what_the_model_has_seen(run: Run) -> None:
    training = run.bundle.manifest.training
    assert training is not None
    assert (training.symbols, training.interval) == (("DEMO1", "DEMO2"), "1h, 30m")
    assert (training.from_date, training.to_date) == (date(2020, 1, 1), date(2020, 2, 2))
    assert training.cutoff_ms == dict.fromkeys(training.symbols, START_MS + 32 * DAY_MS)
    best = min(run.logs, key=lambda epoch: run.logs[epoch]["val_loss"])
    assert training.frames == (best + 1) * 3 * 8
    assert {name: part.frames for name, part in training.splits.items()} == {
        "train": 20 * 24 - 229 + 20 * 48 - 229,
        "validation": -(-(12 * 24 - 229) // 31) + -(-(12 * 48 - 229) // 31),
    }


def test_the_outputs_are_shares_of_the_windows_range(run: Run) -> None:
    assert [(output.name, output.unit) for output in run.bundle.manifest.outputs] == [
        ("maxRisePct", "window_range"),
        ("maxDeclinePct", "window_range"),
        ("endChangePct", "window_range"),
    ]


def test_the_metrics_are_those_of_windows_after_training_beside_the_naive_ones(run: Run) -> None:
    metrics = run.bundle.manifest.metrics
    assert metrics is not None
    assert set(metrics) == {"validation", "test"}
    assert all(set(part) == {"from", "to", "frames", "model", "baselines"} for part in metrics.values())  # type: ignore[arg-type]


def test_the_optimizer_stays_at_home(run: Run, keras: ModuleType) -> None:
    """Its moments would make the file three times as large."""
    assert not keras.saving.load_model(run.folder / "model.keras").compiled


def test_serving_foretells_what_training_measured(run: Run, keras: ModuleType) -> None:
    """The same windows, through the dataset and Keras, and through the predictor and the engine."""
    coins = read_candle_files(run.config)
    judged = split(run.config, coins).test
    measured = predict_pct(keras.saving.load_model(run.folder / "model.keras", compile=False), judged, "window_range")[
        judged.symbols == "DEMO1"
    ]
    period = run.config.test
    series = Series(coins[0].between(period.start_ms, period.stop_ms), stride=run.config.test_stride)
    model = LoadedModel(run.bundle, KerasEngine(run.bundle, max_batch=100), load_ms=0.0)
    served = Predictor(model, max_batch=4).predict(series)
    assert 0 < len(measured) <= len(served)  # windows without a whole horizon after them can be served, but not judged
    np.testing.assert_allclose(served.values_pct[: len(measured)], measured, rtol=1e-4, atol=1e-6)
    assert not served.in_sample.any()


def test_the_manifest_says_what_each_layer_costs(run: Run) -> None:
    layers = run.bundle.manifest.architecture
    assert layers is not None
    assert {layer.name: layer.multiply_adds for layer in layers if layer.multiply_adds} == {
        "conv1": 50 * 30 * 4 * 27,
        "conv2": 10 * 6 * 4 * 36,
        "dense": 240 * 4,
        "outputs": 4 * 3,
    }


def command(folder: Path, **settings: Any) -> "subprocess.Popen[str]":
    """`coinfarm train` on the tiny config, in a process group of its own, as a terminal starts it."""
    code = "from coinfarm.cli import main; main(prog_name='coinfarm')"
    words = [sys.executable, "-c", code, "train", str(folder / "tiny.toml"), "-o", str(folder / "bundle")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True, **settings)


def test_after_ctrl_c_it_says_how_to_go_on_and_does(tmp_path: Path) -> None:
    written_config(tmp_path)
    (tmp_path / "tiny.toml").write_text(CONFIG.replace("epochs = 2", "epochs = 40"))
    process = command(tmp_path)
    assert process.stderr is not None
    before = ""
    while "epoch 2 " not in before:
        line = process.stderr.readline()
        assert line, before
        before += line
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    last = said.splitlines()[-1]
    assert last.startswith("Stopped."), said
    assert f"coinfarm train {tmp_path / 'tiny.toml'} -o {tmp_path / 'bundle'}" in last
    assert not (tmp_path / "bundle").exists()
    again = command(tmp_path)
    _, said = again.communicate(timeout=120)
    assert again.returncode == 0, said
    assert "epoch 1 " not in said, "the first epoch was kept"
    assert (tmp_path / "bundle/manifest.json").is_file()


@pytest.mark.parametrize("max_bytes", [500, 5_000])
def test_no_room_on_the_disk_is_one_line_that_names_the_file(max_bytes: int, tmp_path: Path) -> None:
    written_config(tmp_path)
    process = command(tmp_path, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (max_bytes, max_bytes)))
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1, said
    assert "Traceback" not in said
    last = said.splitlines()[-1]
    assert last.startswith("Error: ")
    assert str(tmp_path / "bundle.training") in last
    assert not (tmp_path / "bundle").exists()
