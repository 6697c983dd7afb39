"""The frames for calibrating and for testing compiled forms."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from coinfarm.candles.candles import Candles
from coinfarm.candles.files import parse_candles
from coinfarm.candles.filled_windows import filled_counts, is_mostly_filled
from coinfarm.candles.gaps import fill_gaps
from coinfarm.candles.synthetic import START_OF_2026_MS, generate
from coinfarm.errors import CoinfarmError
from image_render.render import Frames, render_frames
from image_render.spec import STANDARD
from image_render.windows import Columns, windows

_CALIBRATION_FRAMES = 1_000
"""More than the usual 300, because rare frames determine the ranges of the activations."""
_PARITY_FRAMES = 2_000
_MIN_PARITY_FRAMES = 1_000
_CALIBRATION_STEP = _PARITY_FRAMES // _CALIBRATION_FRAMES + 1


@dataclass(frozen=True, eq=False)
class CoinSample:
    """Candles to check a model with, and the names of their sources."""

    coins: tuple[Candles, ...]
    names: tuple[str, ...]

    @classmethod
    def from_files(cls, paths: Sequence[Path]) -> "CoinSample":
        """Real candles. Raises as `parse_candles`."""
        return cls(tuple(parse_candles(path.read_bytes(), path.name) for path in paths), tuple(path.name for path in paths))

    @classmethod
    def synthetic(cls) -> "CoinSample":
        """Synthetic candles, on which a model that was trained on real ones may behave differently."""
        coins = tuple(generate(f"DEMO{letter}", "1m", START_OF_2026_MS, 250_000, seed=1) for letter in "ABC")
        return cls(coins, tuple(coin.symbol for coin in coins))


@dataclass(frozen=True, eq=False)
class Sample:
    """`calibration` and `parity` are frames `(n, 200, 150, 3)` that have no candles in common; `candles` names their sources."""

    calibration: Frames
    parity: Frames
    candles: tuple[str, ...]

    @classmethod
    def from_candles(cls, coins: Sequence[Candles], names: tuple[str, ...]) -> "Sample":
        """Non-overlapping windows, evenly spread over all candles; every third is for calibration."""
        separate = Columns(*(np.concatenate(columns) for columns in zip(*(_separate_windows(coin) for coin in coins), strict=True)))
        count = min(len(separate.close), _CALIBRATION_FRAMES + _PARITY_FRAMES)
        chosen = np.linspace(0, len(separate.close) - 1, count).astype(np.intp)
        is_calibration = np.arange(count) % _CALIBRATION_STEP == 0
        if (~is_calibration).sum() < _MIN_PARITY_FRAMES:
            needed = STANDARD.window_candles * _MIN_PARITY_FRAMES * _CALIBRATION_STEP // (_CALIBRATION_STEP - 1)
            raise CoinfarmError(
                f"only {count} non-overlapping windows, too few to test a compiled form: use files of {needed:,} candles or more"
            )

        def render(part: np.ndarray) -> Frames:
            return render_frames(Columns(*(column[part] for column in separate)))

        return cls(render(chosen[is_calibration]), render(chosen[~is_calibration]), names)


def _separate_windows(coin: Candles) -> Columns:
    """Non-overlapping windows `(n, 200)`, without mostly filled ones."""
    window = STANDARD.window_candles
    candles = fill_gaps(coin)
    if len(candles) < window:
        raise CoinfarmError(f"{coin.symbol}: {len(candles)} candles are too few for a window of {window}")
    separate = windows(candles.columns, STANDARD, window)
    count = len(separate.close)
    real = ~is_mostly_filled(filled_counts(candles, window * np.arange(count), window), window)
    return Columns(*(column[real] for column in separate))
