"""What is trained: a network on row numbers, with its optimizer and loss."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from coinfarm.candles.arrays import Values
from coinfarm.training.config import NetworkConfig, TrainingConfig
from coinfarm.training.devices import Devices
from coinfarm.training.row_input import with_column_sums, with_row_input

if TYPE_CHECKING:
    import keras


def training_model(network: "keras.Model", config: TrainingConfig, deviation: Values, devices: Devices) -> "keras.Model":
    """The compiled model from row numbers `(batch, 200, 5)` to `(batch, outputs)`, with the network's variables.

    `deviation` `(outputs,)` is the standard deviation of each target. The devices' scope must be active.
    """
    import keras

    model = _on_rows(network, config.network, devices)
    model.compile(
        optimizer=_optimizer(config),
        loss=_scaled_huber(deviation, config.huber_delta),
        jit_compile=keras.backend.backend() == "jax",  # Keras does not compile TensorFlow's repeatable operations
    )
    model.optimizer.build(model.trainable_variables)
    return model


def _on_rows(network: "keras.Model", config: NetworkConfig, devices: Devices) -> "keras.Model":
    """The network on row numbers; a GPU multiplies pixels faster than it looks up, and its scattered gradients could not be repeated."""
    if config.sees_single_candles_first and devices.are_processors:
        return with_column_sums(network, "conv1")
    return with_row_input(network)


def _optimizer(config: TrainingConfig) -> "keras.optimizers.Optimizer":
    """AdamW with a linear warm-up over a twentieth of the steps and cosine decay to zero over the rest."""
    import keras

    steps = config.epochs * config.steps_per_epoch
    warm_up = steps // 20
    schedule = keras.optimizers.schedules.CosineDecay(0.0, steps - warm_up, warmup_target=config.learning_rate, warmup_steps=warm_up)
    return keras.optimizers.AdamW(schedule, weight_decay=config.weight_decay, clipnorm=1.0)


def _scaled_huber(deviation: Values, delta: float) -> Callable[..., object]:
    """The Huber loss of errors in standard deviations of each target, so that all outputs have similar weight."""
    from keras import ops

    scale = deviation.astype(np.float32)

    def scaled_huber(actual: object, predicted: object) -> object:
        error = ops.abs((actual - predicted) / scale)  # type: ignore[operator]
        quadratic = ops.minimum(error, delta)
        return ops.mean(0.5 * quadratic**2 + delta * (error - quadratic), axis=-1)

    return scaled_huber
