import math
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from coinfarm.candles.day import day_start_ms
from coinfarm.engines.keras import KerasEngine
from coinfarm.errors import CoinfarmError
from coinfarm.models.bundle import Bundle
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.prediction.frame_batch import in_percent
from coinfarm.prediction.model_manager import LoadedModel
from coinfarm.prediction.predictor import Predictor
from coinfarm.prediction.series import Series
from coinfarm.training.config import BlockConfig, NetworkConfig, TrainingConfig
from coinfarm.training.loop import predict_outputs, read_candle_files
from coinfarm.training.output_calibration import mean_targets
from coinfarm.training.train import build_splits, train
from tests.support.synthetic_candles import START_MS
from tests.support.tiny_training import write_tiny_training

pytestmark = pytest.mark.tensorflow

DAY_MS = 86_400_000


@dataclass
class Run:
    config: TrainingConfig
    folder: Path
    bundle: Bundle
    logs: dict[int, dict[str, float]]
    frames: list[int]


COLUMNS = NetworkConfig(
    view="columns", dense_units=4, blocks=(BlockConfig(filters=4, kernel=(1, 1)), BlockConfig(filters=4, strides=(20, 1)))
)


@pytest.fixture(scope="module")
def run(keras: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("training")
    return _train_and_copy(write_tiny_training(folder), folder)


@pytest.fixture(scope="module")
def columns_run(keras: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("columns")
    return _train_and_copy(write_tiny_training(folder).model_copy(update={"network": COLUMNS}), folder)


def _train_and_copy(config: TrainingConfig, folder: Path) -> Run:
    """Train, and copy the state of the second epoch to `killed.training`."""
    logs: dict[int, dict[str, float]] = {}
    frames: list[int] = []

    def on_frames(count: int) -> None:
        frames.append(count)
        if count == 40:
            shutil.copytree(folder / "bundle.training", folder / "killed.training")

    bundle = train(config, folder / "bundle", logs.__setitem__, on_frames=on_frames)
    return Run(config, folder / "bundle", bundle, logs, frames)


def test_writes_a_valid_bundle_without_the_optimizer(run: Run, keras: ModuleType) -> None:
    """The optimizer's moments would make the file three times as large."""
    assert Bundle.open(run.folder) == run.bundle
    assert sorted(path.name for path in run.folder.iterdir()) == ["manifest.json", "model.keras"]
    assert not keras.saving.load_model(run.folder / "model.keras").compiled
    assert run.frames == [8, 16, 24, 32, 40, 48]
    assert all({"loss", "val_loss"} <= set(run.logs[epoch]) for epoch in (0, 1))
    assert {layer.name for layer in run.bundle.manifest.architecture or ()} >= {"conv1", "conv2", "dense", "outputs"}


@pytest.mark.parametrize("fixture", ["run", "columns_run"])
def test_a_killed_run_continues_with_the_same_result(fixture: str, request: pytest.FixtureRequest, keras: ModuleType) -> None:
    """A process that is killed in the second epoch leaves the files that were copied."""
    run: Run = request.getfixturevalue(fixture)
    killed = run.folder.with_name("killed")
    logs: dict[int, dict[str, float]] = {}
    bundle = train(run.config, killed, logs.__setitem__)
    assert logs == {1: run.logs[1]}
    assert bundle.manifest.metrics == run.bundle.manifest.metrics
    resumed, undisturbed = (keras.saving.load_model(folder / "model.keras") for folder in (killed, run.folder))
    assert resumed.get_weights()
    for found, expected in zip(resumed.get_weights(), undisturbed.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_stops_early_and_stores_the_best_epoch(keras: ModuleType, tmp_path: Path) -> None:
    config = write_tiny_training(tmp_path).model_copy(update={"epochs": 9, "patience_epochs": 2})
    epochs: list[int] = []

    def on_epoch(epoch: int, logs: dict[str, float]) -> None:
        epochs.append(epoch)
        logs["val_loss"] = [0.5, 0.4, 0.6, 0.4, 0.1][epoch]

    bundle = train(config, tmp_path / "bundle", on_epoch, tensorboard=tmp_path / "logs")
    assert epochs == [0, 1, 2, 3]
    assert {path.parent.name for path in (tmp_path / "logs").rglob("events*")} == {"train", "validation"}
    assert bundle.manifest.training is not None
    assert bundle.manifest.training.frames == 2 * 3 * 8


def test_a_nan_loss_ends_the_run(keras: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(CoinfarmError, match=r"epoch 1 .*learning_rate"):
        train(write_tiny_training(tmp_path), tmp_path / "bundle", lambda epoch, logs: logs.update(val_loss=math.nan))


def test_rejects_a_folder_that_is_not_empty(run: Run) -> None:
    with pytest.raises(CoinfarmError, match="bundle"):
        train(run.config, run.folder, lambda epoch, logs: None)


def test_the_manifest_has_the_training_data(run: Run) -> None:
    training = run.bundle.manifest.training
    assert training is not None
    assert (training.symbols, training.interval) == (("DEMO1", "DEMO2"), "1h, 30m")
    assert (training.from_date, training.to_date) == (date(2020, 1, 1), date(2020, 2, 2))
    assert training.cutoff_ms == dict.fromkeys(training.symbols, START_MS + 32 * DAY_MS)
    learnt = [(each.symbol, each.interval, day_start_ms(each.from_date), day_start_ms(each.to_date)) for each in training.series or ()]
    bounds = START_MS, START_MS + 32 * DAY_MS
    assert learnt == [("DEMO1", "1h", *bounds), ("DEMO2", "30m", *bounds)]
    best = min(run.logs, key=lambda epoch: run.logs[epoch]["val_loss"])
    assert training.frames == (best + 1) * 3 * 8
    assert {name: part.frames for name, part in training.splits.items()} == {
        "train": 20 * 24 - 229 + 20 * 48 - 229,
        "validation": -(-(12 * 24 - 229) // 31) + -(-(12 * 48 - 229) // 31),
    }


def test_the_manifest_has_scores_of_each_interval(run: Run) -> None:
    for split in ("validation", "test"):
        scores = (run.bundle.manifest.metrics or {})[split]
        assert list(scores["intervals"]) == ["1h", "30m"]
        assert sum(each["frames"] for each in scores["intervals"].values()) == scores["frames"]
        for each in scores["intervals"].values():
            assert {"model", "baselines"} <= set(each)
            assert each["model"]["maxRisePct"] != scores["model"]["maxRisePct"]


def test_the_saved_model_is_calibrated(run: Run, keras: ModuleType, tmp_path: Path) -> None:
    """Twelve days are too few to show that the end change is predicted, so it becomes constant."""
    calibration = (run.bundle.manifest.metrics or {})["calibration"]
    assert [calibration[name]["factor"] for name in OUTPUT_NAMES] == [1.0, 1.0, 0.0]
    splits = build_splits(run.config, read_candle_files(run.config))
    mean = mean_targets(splits.train, "window_range", mirrored=False)[2]
    assert calibration["endChangePct"]["mean"] == pytest.approx(mean, abs=1e-5)

    raw = predict_outputs(keras.saving.load_model(run.folder / "model.keras", compile=False), splits.test)
    predicted = in_percent(raw, run.bundle.manifest.outputs, splits.test.range_pct) / splits.test.range_pct[:, None]
    np.testing.assert_allclose(predicted[:, 2], mean, atol=1e-5)
    assert raw[:, 2].std() > 0

    uncalibrated = train(run.config.model_copy(update={"calibrate": False}), tmp_path / "bundle", lambda epoch, logs: None)
    assert "calibration" not in (uncalibrated.manifest.metrics or {})
    assert [output.correction for output in uncalibrated.manifest.outputs] == [None] * 3
    plain = predict_outputs(keras.saving.load_model(uncalibrated.folder / "model.keras", compile=False), splits.test)
    np.testing.assert_array_equal(raw, plain)


def test_serving_predicts_the_same_as_training(run: Run, keras: ModuleType) -> None:
    """The same windows, with the dataset and Keras, and with the predictor and the engine."""
    coins = read_candle_files(run.config)
    dataset = build_splits(run.config, coins).test
    raw = predict_outputs(keras.saving.load_model(run.folder / "model.keras", compile=False), dataset)
    expected = in_percent(raw, run.bundle.manifest.outputs, dataset.range_pct)[dataset.symbols == "DEMO1"]
    period = run.config.test
    series = Series(coins[0].between(period.start_ms, period.stop_ms), stride=run.config.test_stride)
    model = LoadedModel(run.bundle, KerasEngine(run.bundle, max_batch=100), load_ms=0.0)
    served = Predictor(model, max_batch=4).predict(series)
    assert 0 < len(expected) <= len(served)  # windows without a complete horizon can be served, but not tested
    np.testing.assert_allclose(served.values_pct[: len(expected)], expected, rtol=1e-4, atol=1e-6)
    assert not served.in_sample.any()
