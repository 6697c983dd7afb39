"""The training loop: after each epoch the validation loss is computed, and the best network is stored."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles
from coinfarm.candles.files import parse_candles
from coinfarm.errors import CoinfarmError
from coinfarm.training.batches import training_batches, validation_batches
from coinfarm.training.checkpoint import Checkpoint, TrainingState
from coinfarm.training.config import TargetUnit, TrainingConfig
from coinfarm.training.dataset import WindowDataset
from coinfarm.training.devices import Devices
from coinfarm.training.network import build_network
from coinfarm.training.stratified_sampling import StratifiedSampler, assign_strata
from coinfarm.training.training_model import training_model
from image_render.render import Frames

if TYPE_CHECKING:
    import keras

OnEpoch = Callable[[int, dict[str, float]], None]
"""Called after each epoch with its number, from 0, and Keras' logs."""
OnFrames = Callable[[int], None]
"""Called after each step with the number of frames trained so far, including those before an interruption."""
_FRAMES_AT_ONCE = 500


def read_candle_files(config: TrainingConfig) -> list[Candles]:
    """The candles of the config's files, in memory. Raises the same as `parse_candles`, and `OSError`."""
    return [parse_candles(path.read_bytes(), path.name) for path in config.candles]


def train_network(
    config: TrainingConfig,
    train: WindowDataset,
    validation: WindowDataset,
    folder: Path,
    on_epoch: OnEpoch,
    *,
    on_frames: OnFrames | None = None,
    tensorboard: Path | None = None,
    devices: Devices | None = None,
) -> "keras.Model":
    """Train a network and return it, in float32, with the weights of the epoch with the lowest validation loss.

    The checkpoint is in `folder`: a call after an interruption continues after the last finished epoch, with the same result.
    Raises `CoinfarmError` if the folder belongs to another run, or a batch cannot be divided among the devices.
    """
    checkpoint = Checkpoint(folder)
    checkpoint.start_or_resume(config)
    devices = devices or Devices.available()
    if len(validation) < len(devices):
        raise CoinfarmError(f"validation: {len(validation)} windows are fewer than the {len(devices)} devices: choose a longer period")
    if config.batch_size % len(devices):
        raise CoinfarmError(
            f"batch_size {config.batch_size} does not divide evenly among {len(devices)} devices: choose a multiple of that"
        )
    import keras

    _make_repeatable(config.seed)
    mean, deviation = train.target_mean_and_deviation(config.target_unit)
    strata = assign_strata(train, folder / "strata.npy")
    sampler = StratifiedSampler.from_strata(strata, train.intervals, config.balance, folder / "order.npy")
    with devices.scope():
        network = build_network(config.network, mean)
        model = training_model(network, config, deviation, devices)
        state = checkpoint.restore(model)
        if not state.is_finished(config):
            model.fit(
                training_batches(config, train, sampler, state.epochs_done),
                validation_data=validation_batches(validation, config.target_unit, len(devices)),
                steps_per_epoch=config.steps_per_epoch,
                initial_epoch=state.epochs_done,
                epochs=config.epochs,
                shuffle=False,  # the batches themselves are random
                verbose=0,
                callbacks=[
                    *_tensorboard_callbacks(tensorboard),
                    keras.callbacks.LambdaCallback(on_epoch_end=on_epoch),
                    _checkpoint_callback(config, checkpoint, network, state, on_frames),
                ],
            )
    trained = build_network(config.network, mean)
    checkpoint.restore_best(trained)
    return trained


def predict_pct(model: "keras.Model", dataset: WindowDataset, unit: TargetUnit) -> Values:
    """The predictions `(n, outputs)`, in percent, of a model whose outputs are in `unit`."""
    outputs = predict_outputs(model, dataset)
    return outputs * dataset.range_pct[:, None] if unit == "window_range" else outputs


def predict_outputs(model: "keras.Model", dataset: WindowDataset) -> Values:
    """The model's outputs `(n, outputs)`, in its own units."""
    parts = np.array_split(np.arange(len(dataset)), max(1, len(dataset) // _FRAMES_AT_ONCE))
    return np.concatenate([_outputs(model, dataset.frames(part)) for part in parts]).astype(np.float64)


def _outputs(model: "keras.Model", frames: Frames) -> NDArray[np.float32]:
    import keras

    outputs: NDArray[np.float32] = keras.ops.convert_to_numpy(model(frames, training=False))
    return outputs


def _make_repeatable(seed: int) -> None:
    import keras

    keras.utils.set_random_seed(seed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


def _checkpoint_callback(
    config: TrainingConfig, checkpoint: Checkpoint, network: "keras.Model", initial: TrainingState, on_frames: OnFrames | None
) -> "keras.callbacks.Callback":
    import keras

    class CheckpointCallback(keras.callbacks.Callback):  # type: ignore[misc]
        """Stores a checkpoint after each epoch, stops early, and reports each step."""

        def __init__(self) -> None:
            super().__init__()
            self._state = initial

        def on_train_batch_end(self, step: int, logs: dict[str, float] | None = None) -> None:
            del logs
            if on_frames is not None:
                on_frames((self._state.epochs_done * config.steps_per_epoch + step + 1) * config.batch_size)

        def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
            loss = logs["val_loss"]
            if not np.isfinite(loss):
                raise CoinfarmError(f"epoch {epoch + 1} ended with a loss of {loss}: choose a smaller learning_rate, and another folder")
            self._state = self._state.next_epoch(loss)
            checkpoint.save(self.model, network, self._state)
            self.model.stop_training = self._state.is_finished(config)

    return CheckpointCallback()


def _tensorboard_callbacks(folder: Path | None) -> "list[keras.callbacks.Callback]":
    import keras

    return [] if folder is None else [keras.callbacks.TensorBoard(str(folder), write_graph=False)]
