"""What the network is fed with: rows of frames, drawn where the network runs, and the targets."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coinfarm.training.augmentation import mirror_frames
from coinfarm.training.candle_arrays import split_range
from coinfarm.training.config import TargetUnit, TrainingConfig
from coinfarm.training.dataset import WindowDataset
from coinfarm.training.stratified_sampling import StratifiedSampler
from image_render.rows import Rows

if TYPE_CHECKING:
    import keras

Batch = tuple[Rows, NDArray[np.float32]]
_FRAMES_AT_ONCE = 500


def training_batch(config: TrainingConfig, train: WindowDataset, sampler: StratifiedSampler, epoch: int, step: int) -> Batch:
    """The rows `(batch, 200, 5)` and targets `(batch, 3)` of one step, which depend on the seed, the epoch and the step alone."""
    random = np.random.default_rng((config.seed, epoch, step))
    chosen = sampler.choose(random, config.batch_size)
    rows, targets = train.rows(chosen), train.targets(config.target_unit, chosen)
    if config.mirrored:
        targets = mirror_frames(rows, targets, random.random(len(chosen)) < 0.5)
    return rows, targets.astype(np.float32)


def training_batches(config: TrainingConfig, train: WindowDataset, sampler: StratifiedSampler, first_epoch: int) -> "keras.utils.PyDataset":
    """The batches from an epoch on, without end."""

    def batch(number: int) -> Batch:
        epochs, step = divmod(number, config.steps_per_epoch)
        return training_batch(config, train, sampler, first_epoch + epochs, step)

    return _dataset(batch, None)


def validation_batches(validation: WindowDataset, unit: TargetUnit, shares: int) -> "keras.utils.PyDataset":
    """All samples in order, each batch in as many equal shares; a rest that cannot be shared is left out."""
    most = _FRAMES_AT_ONCE // shares * shares
    parts = split_range(len(validation) // shares * shares, most)

    def batch(number: int) -> Batch:
        chosen = np.arange(parts[number].start, parts[number].stop)
        return validation.rows(chosen), validation.targets(unit, chosen).astype(np.float32)

    return _dataset(batch, len(parts))


def _dataset(batch: Any, count: int | None) -> "keras.utils.PyDataset":
    import keras

    class Batches(keras.utils.PyDataset):  # type: ignore[misc]
        """Made one after another while the network is at work on those before: a thread that TensorFlow's input pipeline runs."""

        @property
        def num_batches(self) -> int | None:
            return count

        def __getitem__(self, number: int) -> Batch:
            made: Batch = batch(number)
            return made

    return Batches(workers=1, use_multiprocessing=False)
