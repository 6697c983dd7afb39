"""A whole training run: read, split, fit, judge, seal as a bundle."""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coinfarm.candles import Candles
from coinfarm.evaluation.baselines import Naive, beside_naive
from coinfarm.models.bundle import Bundle
from coinfarm.models.manifest import MODEL_FILE, Output, Split, TrainingData
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.training.architecture import architecture
from coinfarm.training.config import Period, TrainingConfig
from coinfarm.training.dataset import Samples, samples
from coinfarm.training.loop import Progress, fit, predict_pct, read_coins

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Splits:
    """The samples of each period."""

    train: Samples
    validation: Samples
    test: Samples


def split(config: TrainingConfig, coins: list[Candles]) -> Splits:
    """The three periods of the config, thinned out where they are only judged on."""
    horizon = config.horizon_candles
    return Splits(
        train=samples(coins, config.train, horizon),
        validation=samples(coins, config.validation, horizon, config.validation_stride),
        test=samples(coins, config.test, horizon, config.test_stride),
    )


def train(config: TrainingConfig, folder: Path, progress: Progress) -> Bundle:
    """Train as the config says, and leave the best epoch as a sealed bundle in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    coins = read_coins(config)
    splits = split(config, coins)
    model = fit(config, splits.train, splits.validation, folder / MODEL_FILE, progress)
    return seal(config, coins, splits, model, folder)


def seal(config: TrainingConfig, coins: list[Candles], splits: Splits, model: "keras.Model", folder: Path) -> Bundle:
    """Save the model without its optimizer, judge it on validation and, this once, on test, and write the manifest."""
    _save(model, folder / MODEL_FILE)
    judged = {"validation": (config.validation, splits.validation), "test": (config.test, splits.test)}
    naive = Naive.fit(splits.train.range_pct, splits.train.targets_pct)
    metrics: dict[str, Any] = {
        name: {
            "from": str(period.start),
            "to": str(period.stop),
            **beside_naive(predict_pct(model, part, config.target_unit), part.targets_pct, part.range_pct, naive),
        }
        for name, (period, part) in judged.items()
    }
    return Bundle.seal(
        folder,
        name=config.name,
        outputs=tuple(Output(name=name, unit=config.target_unit) for name in OUTPUT_NAMES),
        horizon_candles=config.horizon_candles,
        training=_training_data(config, coins, splits),
        metrics=metrics,
        architecture=architecture(model),
    )


def _save(model: "keras.Model", path: Path) -> None:
    """As Keras saves it, but packed: a tenth smaller."""
    model.save(path)
    with zipfile.ZipFile(path) as saved:
        members = {info.filename: saved.read(info) for info in saved.infolist()}
    with zipfile.ZipFile(path, "w") as packed:
        for name, data in members.items():
            packed.writestr(name, data, zipfile.ZIP_DEFLATED, compresslevel=9)


def _training_data(config: TrainingConfig, coins: list[Candles], splits: Splits) -> TrainingData:
    """What the model has seen: it learnt from one period and was chosen by the next, so both are in-sample."""

    def part(period: Period, of: Samples) -> Split:
        return Split(from_date=period.start, to_date=period.stop, frames=len(of))

    return TrainingData(
        symbols=tuple(coin.symbol for coin in coins),
        interval=coins[0].interval,
        from_date=config.train.start,
        to_date=config.validation.stop,
        cutoff_ms={coin.symbol: config.validation.stop_ms for coin in coins},
        frames=config.epochs * config.steps_per_epoch * config.batch_size,
        splits={"train": part(config.train, splits.train), "validation": part(config.validation, splits.validation)},
    )
