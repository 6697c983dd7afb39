"""Batches for training and validation: row numbers, from which the device renders the frames, and targets."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coinfarm.training.augmentation import flip_frames
from coinfarm.training.candle_arrays import split_range
from coinfarm.training.config import TargetUnit, TrainingConfig
from coinfarm.training.dataset import WindowDataset
from coinfarm.training.stratified_sampling import StratifiedSampler
from image_render.rows import Rows

if TYPE_CHECKING:
    import keras

Batch = tuple[Rows, NDArray[np.float32]]
WeightedBatch = tuple[Rows, NDArray[np.float32], NDArray[np.float32]]
_FRAMES_AT_ONCE = 500


def training_batch(config: TrainingConfig, train: WindowDataset, sampler: StratifiedSampler, epoch: int, step: int) -> Batch:
    """The row numbers `(batch, 200, 5)` and targets `(batch, outputs)` of one step; they depend only on seed, epoch and step."""
    random = np.random.default_rng((config.seed, epoch, step))
    chosen = sampler.sample(random, config.batch_size)
    rows, targets = train.rows(chosen), train.targets(config.target_unit, chosen)
    if config.mirrored:
        targets = flip_frames(rows, targets, random.random(len(chosen)) < 0.5)
    return rows, targets.astype(np.float32)


def training_batches(config: TrainingConfig, train: WindowDataset, sampler: StratifiedSampler, first_epoch: int) -> "keras.utils.PyDataset":
    """An endless sequence of batches, from an epoch on."""

    def batch(number: int) -> Batch:
        epochs, step = divmod(number, config.steps_per_epoch)
        return training_batch(config, train, sampler, first_epoch + epochs, step)

    return _keras_dataset(batch, None)


def validation_batches(validation: WindowDataset, unit: TargetUnit, devices: int) -> "keras.utils.PyDataset":
    """All windows in order, with weights that let all intervals count the same.

    The batches divide evenly among the devices; a remainder is left out.
    """
    weights = validation.interval_weights().astype(np.float32)
    parts = split_range(len(validation) // devices * devices, _FRAMES_AT_ONCE // devices * devices)

    def batch(number: int) -> WeightedBatch:
        chosen = np.arange(parts[number].start, parts[number].stop)
        return validation.rows(chosen), validation.targets(unit, chosen).astype(np.float32), weights[chosen]

    return _keras_dataset(batch, len(parts))


def _keras_dataset(batch: Any, count: int | None) -> "keras.utils.PyDataset":
    import keras

    class Batches(keras.utils.PyDataset):  # type: ignore[misc]
        """Batches computed in a background thread while the network trains on earlier ones."""

        @property
        def num_batches(self) -> int | None:
            return count

        def __getitem__(self, number: int) -> Batch | WeightedBatch:
            result: Batch | WeightedBatch = batch(number)
            return result

    return Batches(workers=1, use_multiprocessing=False)
