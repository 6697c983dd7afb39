"""Training: random windows of the training period, judged after each epoch on the validation period, the best kept."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from coinfarm.candle_files import parse_candles
from coinfarm.candles import Candles, Values
from coinfarm.training.config import TargetUnit, TrainingConfig
from coinfarm.training.dataset import Samples
from coinfarm.training.mirror import mirror
from coinfarm.training.network import build_network
from image_render.draw import Frames

if TYPE_CHECKING:
    import keras

Progress = Callable[[int, dict[str, float]], None]
_FRAMES_AT_ONCE = 500


def read_coins(config: TrainingConfig) -> list[Candles]:
    """The candles of every file of the config; raises what `parse_candles` does, and `OSError`."""
    return [parse_candles(path.read_bytes(), path.name) for path in config.candles]


def fit(config: TrainingConfig, train: Samples, validation: Samples, best: Path, progress: Progress) -> "keras.Model":
    """Train a network, leave the epoch that did best on `validation` at `best` (a `.keras` file), and return it.

    `progress(epoch, logs)` is called after each epoch with Keras' losses.
    """
    import keras

    keras.utils.set_random_seed(config.seed)
    targets = train.targets(config.target_unit)
    model = build_network(config.network, targets.mean(axis=0))
    steps = config.epochs * config.steps_per_epoch
    warm_up = steps // 20
    schedule = keras.optimizers.schedules.CosineDecay(0.0, steps - warm_up, warmup_target=config.learning_rate, warmup_steps=warm_up)
    model.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=config.weight_decay, clipnorm=1.0),
        loss=_scaled_huber(targets.std(axis=0), config.huber_delta),
        jit_compile=False,  # XLA's convolutions on a CPU are slower than oneDNN's
    )
    model.fit(
        _batches(train, targets, config),
        validation_data=(validation.frames(np.arange(len(validation))), validation.targets(config.target_unit)),
        validation_batch_size=_FRAMES_AT_ONCE,
        epochs=config.epochs,
        verbose=0,
        callbacks=[
            keras.callbacks.ModelCheckpoint(str(best), monitor="val_loss", save_best_only=True),
            keras.callbacks.LambdaCallback(on_epoch_end=progress),
        ],
    )
    return keras.saving.load_model(best, compile=False, safe_mode=True)


def predict_pct(model: "keras.Model", samples: Samples, unit: TargetUnit) -> Values:
    """The predictions, `(n, 3)` in percent, of a model whose outputs are in `unit`."""
    parts = np.array_split(np.arange(len(samples)), max(1, len(samples) // _FRAMES_AT_ONCE))
    outputs = np.concatenate([np.asarray(model(samples.frames(part), training=False)) for part in parts])
    values: Values = outputs.astype(np.float64)
    return values * samples.range_pct[:, None] if unit == "window_range" else values


def _scaled_huber(deviation: Values, delta: float) -> Callable[..., object]:
    """Huber's loss of errors in standard deviations of each target, so that no output drowns another."""
    from keras import ops

    scale = deviation.astype(np.float32)

    def scaled_huber(actual: object, predicted: object) -> object:
        error = ops.abs((actual - predicted) / scale)  # type: ignore[operator]
        quadratic = ops.minimum(error, delta)
        return ops.mean(0.5 * quadratic**2 + delta * (error - quadratic), axis=-1)

    return scaled_huber


def _batches(train: Samples, targets: Values, config: TrainingConfig) -> "keras.utils.PyDataset":
    import keras

    class RandomBatches(keras.utils.PyDataset):  # type: ignore[misc]
        """Each epoch other windows; which ones depends on the seed and the step alone."""

        def __init__(self) -> None:
            super().__init__(workers=1, use_multiprocessing=False, max_queue_size=4)
            self.epoch = 0

        @property
        def num_batches(self) -> int:
            return config.steps_per_epoch

        def __getitem__(self, step: int) -> tuple[Frames, Values]:
            random = np.random.default_rng((config.seed, self.epoch, step))
            chosen = random.integers(len(train), size=config.batch_size)
            frames, wanted = train.frames(chosen), targets[chosen]
            if config.mirrored:
                wanted = mirror(frames, wanted, random.random(len(chosen)) < 0.5)
            return frames, wanted

        def on_epoch_end(self) -> None:
            self.epoch += 1

    return RandomBatches()
