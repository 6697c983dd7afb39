"""A complete training run: read, split, train, evaluate, write a bundle."""

import shutil
import zipfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coinfarm.candles.candles import Candles
from coinfarm.candles.day import day_of
from coinfarm.engines.startup_logs import suppress_startup_logs
from coinfarm.errors import CoinfarmError
from coinfarm.extras import require
from coinfarm.models.bundle import Bundle
from coinfarm.models.calibration import OutputCalibration
from coinfarm.models.manifest import MODEL_FILE, Output
from coinfarm.models.output_correction import OutputCorrection
from coinfarm.models.training_data import Split, TrainedSeries, TrainingData
from coinfarm.prediction.frame_batch import in_percent
from coinfarm.storage.local_file import naming_path
from coinfarm.training.architecture import architecture
from coinfarm.training.candle_arrays import mapped_candles
from coinfarm.training.checkpoint import Checkpoint
from coinfarm.training.config import DateRange, TrainingConfig
from coinfarm.training.dataset import WindowDataset, build_dataset
from coinfarm.training.loop import OnEpoch, OnFrames, predict_outputs, train_network
from coinfarm.training.output_calibration import calibrate_outputs, mean_targets
from coinfarm.training.period_scores import period_scores
from coinfarm.training.range_correction import fit_corrections

if TYPE_CHECKING:
    import keras

_MAX_FITTED_WINDOWS = 30_000
"""Training windows that the corrections are fitted on: enough for four coefficients, and seconds of work."""


@dataclass(frozen=True)
class SplitDatasets:
    """The dataset of each period."""

    train: WindowDataset
    validation: WindowDataset
    test: WindowDataset


def build_splits(config: TrainingConfig, coins: list[Candles], folder: Path | None = None) -> SplitDatasets:
    """The datasets of the config's three periods; validation and test use strides. The training dataset is stored in `folder`, if given."""
    horizons = config.horizons
    return SplitDatasets(
        train=build_dataset(coins, config.train, horizons, folder=folder),
        validation=build_dataset(coins, config.validation, horizons, config.validation_stride),
        test=build_dataset(coins, config.test, horizons, config.test_stride),
    )


def train(
    config: TrainingConfig,
    folder: Path,
    on_epoch: OnEpoch,
    *,
    on_frames: OnFrames | None = None,
    tensorboard: Path | None = None,
) -> Bundle:
    """Train a model, and write the best epoch's network as a bundle to `folder`.

    Meanwhile candles, datasets and the checkpoint are in `FOLDER.training`: a call after an interruption continues, with the same result.
    Raises the same as `train_network`, and `CoinfarmError` if `folder` is not empty, or a candle file is invalid.
    """
    if folder.exists() and any(folder.iterdir()):
        raise CoinfarmError(f"{folder} is not empty: choose another folder")
    require("training", "keras", "tensorflow")
    if tensorboard is not None:
        require("a log for TensorBoard", "tensorboard")
    _start_keras()
    work = folder.with_name(f"{folder.name}.training")
    checkpoint = Checkpoint(work)
    checkpoint.start_or_resume(config)
    coins = [mapped_candles(path, work / f"candles-{number}") for number, path in enumerate(config.candles)]
    splits = build_splits(config, coins, work / "dataset")
    model = train_network(config, splits.train, splits.validation, work, on_epoch, on_frames=on_frames, tensorboard=tensorboard)
    bundle = write_bundle(config, coins, splits, model, checkpoint.state.best_epoch + 1, work / "bundle")
    bundle.folder.replace(folder)
    shutil.rmtree(work)
    return Bundle(bundle.manifest, folder)


def _start_keras() -> None:
    """Import Keras and its backend, and use a device, which makes the backend write its startup logs."""
    with suppress_startup_logs():
        import keras

        keras.ops.zeros(1)


def write_bundle(
    config: TrainingConfig, coins: list[Candles], splits: SplitDatasets, model: "keras.Model", epochs: int, folder: Path
) -> Bundle:
    """Save the model, trained for `epochs`, without its optimizer; calibrate it; evaluate it on the validation and test periods; write the
    manifest.

    The folder is created. The test period is used only here.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with naming_path(folder / MODEL_FILE):
        _save(model, folder / MODEL_FILE)
    names = splits.train.output_names
    corrections, calibration = _calibrate(config, splits, model) if config.calibrate else ((None,) * len(names), {})
    outputs = tuple(
        Output(name=name, unit=config.target_unit, correction=correction) for name, correction in zip(names, corrections, strict=True)
    )
    evaluated = {"validation": (config.validation, splits.validation), "test": (config.test, splits.test)}
    metrics: dict[str, Any] = {
        name: period_scores(in_percent(predict_outputs(model, part), outputs, part.range_pct), period, part, splits.train)
        for name, (period, part) in evaluated.items()
    }
    if calibration:
        metrics["calibration"] = {name: each.model_dump(mode="json", by_alias=True) for name, each in calibration.items()}
    return Bundle.create(
        folder,
        name=config.name,
        outputs=outputs,
        horizon_candles=config.horizons[0],
        training=_training_data(config, coins, splits, epochs),
        metrics=metrics,
        architecture=architecture(model),
    )


def _calibrate(
    config: TrainingConfig, splits: SplitDatasets, model: "keras.Model"
) -> tuple[tuple[OutputCorrection, ...], dict[str, OutputCalibration]]:
    """The correction of each output: by the window's range, fitted on training windows, then by the slope on the validation period."""
    corrections = [OutputCorrection() for _ in splits.train.output_names]
    if config.target_unit == "window_range":
        fitted_on = splits.train.every(max(1, len(splits.train) // _MAX_FITTED_WINDOWS))
        corrections = fit_corrections(predict_outputs(model, fitted_on), fitted_on, mirrored=config.mirrored)
    raw, range_pct = predict_outputs(model, splits.validation), splits.validation.range_pct
    calibration = calibrate_outputs(
        np.column_stack([correction.apply(column, range_pct) for correction, column in zip(corrections, raw.T, strict=True)]),
        splits.validation,
        mean_targets(splits.train, config.target_unit, mirrored=config.mirrored),
        config.target_unit,
    )
    shrunk = (each.shrunk(found.factor, found.mean) for each, found in zip(corrections, calibration.values(), strict=True))
    return tuple(shrunk), calibration


def _save(model: "keras.Model", path: Path) -> None:
    """Save in Keras' format, but compressed: a tenth smaller."""
    model.save(path)
    with zipfile.ZipFile(path) as saved:
        members = {info.filename: saved.read(info) for info in saved.infolist()}
    with zipfile.ZipFile(path, "w") as packed:
        for name, data in members.items():
            packed.writestr(name, data, zipfile.ZIP_DEFLATED, compresslevel=9)


def _training_data(config: TrainingConfig, coins: list[Candles], splits: SplitDatasets, epochs: int) -> TrainingData:
    """The training data: the model was selected on the validation period, so that is in-sample too."""

    def part(period: DateRange, dataset: WindowDataset) -> Split:
        return Split(from_date=period.start, to_date=period.stop, frames=len(dataset))

    return TrainingData(
        symbols=tuple(dict.fromkeys(coin.symbol for coin in coins)),
        interval=", ".join(dict.fromkeys(coin.interval for coin in coins)),
        from_date=config.train.start,
        to_date=config.validation.stop,
        cutoff_ms={coin.symbol: config.validation.stop_ms for coin in coins},
        frames=epochs * config.steps_per_epoch * config.batch_size,
        splits={"train": part(config.train, splits.train), "validation": part(config.validation, splits.validation)},
        series=tuple(_trained_series(coin, config) for coin in coins),
    )


def _trained_series(coin: Candles, config: TrainingConfig) -> TrainedSeries:
    """The days of a series that are within the training and validation periods."""
    first, last = day_of(int(coin.open_time[0])), day_of(int(coin.open_time[-1]))
    return TrainedSeries(
        symbol=coin.symbol,
        interval=coin.interval,
        from_date=max(config.train.start, first),
        to_date=min(config.validation.stop, last + timedelta(1)),
    )
