"""Compiled forms of seven architectures that users may bring, briefly trained: python -m benchmarks.architectures BTCUSD-1m.parquet …

A network that is trained for minutes predicts with little contrast, which makes the parity test harder than for a real model.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from coinfarm.candles.files import parse_candles
from coinfarm.candles.gaps import fill_gaps
from coinfarm.cli.tables import numeric_table
from coinfarm.compilation.attempts import Attempt
from coinfarm.compilation.compile import compile_bundle
from coinfarm.compilation.sample import CoinSample, Sample
from coinfarm.models.bundle import Bundle
from coinfarm.models.manifest import MODEL_FILE
from coinfarm.targets import targets_pct
from image_render.render import render_frames
from image_render.spec import STANDARD
from image_render.windows import Columns

STEPS = 300
_BATCH = 64
_HORIZON = 30
Batch = tuple[Any, Any]


def vgg(layers: Any, x: Any) -> Any:
    """Two-dimensional, at full resolution first."""
    for filters in (8, 16, 32, 64):
        x = layers.ReLU()(_normalise(layers)(layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)))
        x = layers.MaxPooling2D(2)(x)
    return layers.MaxPooling2D(2)(x)


def separable(layers: Any, x: Any) -> Any:
    """Depthwise and pointwise convolutions of the image."""
    x = layers.ReLU()(_normalise(layers)(layers.Conv2D(16, 5, (2, 3), padding="same", use_bias=False)(x)))
    for filters, strides in ((32, 2), (64, 2), (64, 1), (128, 2), (128, 2)):
        x = layers.ReLU()(_normalise(layers)(layers.DepthwiseConv2D(3, strides, padding="same", use_bias=False)(x)))
        x = layers.ReLU()(_normalise(layers)(layers.Conv2D(filters, 1, use_bias=False)(x)))
    return x


def five_candles(layers: Any, x: Any) -> Any:
    """The first layer sees five candles at a time; no normalisation."""
    x = layers.Conv1D(48, 5, padding="same", activation="gelu")(_columns(layers, x))
    for filters in (64, 96, 128):
        x = layers.MaxPooling1D(2)(layers.Conv1D(filters, 3, padding="same", activation="gelu")(x))
    return x


def residual(layers: Any, x: Any) -> Any:
    """One-dimensional residual blocks."""
    x = _unit(layers, _columns(layers, x), 64, 1)
    for filters in (64, 96, 128, 192):
        inner = _unit(layers, x, filters, 3, strides=2)
        inner = _normalise(layers)(layers.Conv1D(filters, 3, padding="same", use_bias=False)(inner))
        x = layers.ReLU()(layers.Add()([layers.Conv1D(filters, 1, 2, padding="same")(x), inner]))
    return x


def dilated(layers: Any, x: Any) -> Any:
    """A temporal convolutional network (TCN): causal, dilated, residual."""
    x = layers.Conv1D(48, 1)(_columns(layers, x))
    for rate in (1, 2, 4, 8, 16):
        x = layers.Add()([x, _unit(layers, x, 48, 3, padding="causal", dilation_rate=rate)])
    return layers.AveragePooling1D(4)(x)


def attention(layers: Any, x: Any) -> Any:
    """Attention over the candles behind two strides."""
    x = _unit(layers, _unit(layers, _unit(layers, _columns(layers, x), 64, 1), 64, 3, strides=2), 96, 3, strides=2)
    normalised = layers.LayerNormalization()(x)
    x = layers.Add()([x, layers.MultiHeadAttention(4, 24)(normalised, normalised)])
    return _unit(layers, x, 128, 3, strides=2)


def recurrent(layers: Any, x: Any) -> Any:
    """A GRU behind a stride of four candles."""
    x = _unit(layers, _unit(layers, _columns(layers, x), 64, 1), 64, 3, strides=4)
    return layers.GRU(64, return_sequences=True)(x)[:, -1:]


ARCHITECTURES = (vgg, separable, five_candles, residual, dilated, attention, recurrent)


def _columns(layers: Any, x: Any) -> Any:
    candles, rows, channels = STANDARD.shape
    return layers.Reshape((candles, rows * channels))(x)


def _normalise(layers: Any) -> Any:
    """With averages that follow within the few steps of training; else the network differs from the trained one."""
    return layers.BatchNormalization(momentum=0.9)


def _unit(layers: Any, x: Any, filters: int, kernel: int, **options: Any) -> Any:
    convolution = layers.Conv1D(filters, kernel, use_bias=False, **{"padding": "same", **options})
    return layers.ReLU()(_normalise(layers)(convolution(x)))


def batches(files: list[Path], seed: int = 0) -> Iterator[Batch]:
    """Frames `(64, 200, 150, 3)` and targets `(64, 3)` in percent, from random windows of the first half of each file."""
    random = np.random.default_rng(seed)
    coins = [fill_gaps(parse_candles(path.read_bytes(), path.name)).columns for path in files]
    while True:
        coin = coins[random.integers(len(coins))]
        last = random.integers(STANDARD.window_candles, len(coin.close) // 2 - _HORIZON, _BATCH)
        view = Columns(*(np.stack([column[at - STANDARD.window_candles + 1 : at + 1] for at in last]) for column in coin))
        yield render_frames(view).astype(np.float32), targets_pct(coin, last, _HORIZON).astype(np.float32)


def train(build: Callable[[Any, Any], Any], batches: Iterator[Batch], steps: int, folder: Path) -> Bundle:
    """A bundle of the network, trained for a few steps."""
    import keras

    keras.utils.set_random_seed(1)
    frame = keras.Input(STANDARD.shape)
    x = keras.layers.Dense(64, activation="leaky_relu")(keras.layers.Flatten()(build(keras.layers, frame)))
    network = keras.Model(frame, keras.layers.Dense(3)(x))
    network.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-3, steps)), keras.losses.Huber(0.5))
    for _ in range(steps):
        network.train_on_batch(*next(batches))
    folder.mkdir(parents=True)
    network.save(folder / MODEL_FILE)
    return Bundle.create(folder, name=build.__name__)


def table(attempts: dict[str, list[Attempt]]) -> Table:
    """Each form of each architecture: its speed, and the worst parity of its outputs."""
    found = numeric_table("Compiled forms", "", "form", "takes", "frames/s", "worst correlation", "worst rms difference, %")
    for name, forms in attempts.items():
        for attempt in forms:
            if attempt.parity is None:
                found.add_row(name, attempt.form.name, "", attempt.rejection, "", "")
                continue
            correlation = min(each.correlation for each in attempt.parity.values())
            difference = max(each.rms_difference_share for each in attempt.parity.values())
            takes = "pixels" if attempt.form.tables is None else "rows"
            speed = "rejected" if attempt.frames_per_s is None else f"{attempt.frames_per_s:,.0f}"
            found.add_row(name, attempt.form.name, takes, speed, f"{correlation:.4f}", f"{100 * difference:.1f}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.architectures", description=__doc__)
    parser.add_argument("candles", type=Path, nargs="+", help="files of 300,000 candles or more")
    parser.add_argument("--steps", type=int, default=STEPS, help="[default: %(default)s]")
    parser.add_argument("--folder", type=Path, help="keep the bundles in this new folder")
    parser.add_argument("--only", choices=[build.__name__ for build in ARCHITECTURES], action="append", help="one of the architectures")
    arguments = parser.parse_args()
    coins, training = CoinSample.from_files(arguments.candles), batches(arguments.candles)
    sample = Sample.from_candles(coins.coins, coins.names)
    attempts = {}
    console = Console(width=120)
    for build in ARCHITECTURES:
        if arguments.only and build.__name__ not in arguments.only:
            continue
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(arguments.folder or temporary, build.__name__)
            source = train(build, training, arguments.steps, folder / "source")
            (compiled := folder / "compiled").mkdir()
            attempts[build.__name__] = list(compile_bundle(source, compiled, sample, max_bytes=None, progress=lambda _: None).attempts)
        console.print(table({build.__name__: attempts[build.__name__]}))
    console.print(table(attempts))


if __name__ == "__main__":
    main()
