"""The frames that a compiled form is calibrated on, and the others that it is judged by."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from coinfarm.candles.candles import Candles
from coinfarm.candles.files import parse_candles
from coinfarm.candles.gaps import fill_gaps, filled_counts, is_mostly_filled
from coinfarm.candles.synthetic import generate
from coinfarm.errors import CoinfarmError
from image_render.draw import Frames, draw_frames
from image_render.spec import STANDARD
from image_render.windows import Columns, windows

_CALIBRATION_FRAMES = 1_000
"""More than the usual three hundred: the ranges of the activations are set by the rarest of them."""
_PARITY_FRAMES = 2_000
_MIN_PARITY_FRAMES = 1_000
_SHARE_CALIBRATION = _PARITY_FRAMES // _CALIBRATION_FRAMES + 1
_START_OF_2026_MS = 1_767_225_600_000


@dataclass(frozen=True, eq=False)
class Sample:
    """`calibration` and `parity` are frames `(n, 200, 150, 3)` that have no candle in common; `candles` names where they are from."""

    calibration: Frames
    parity: Frames
    candles: tuple[str, ...]

    @classmethod
    def from_files(cls, paths: Sequence[Path]) -> "Sample":
        """From real candles; raises as `parse_candles`, and `CoinfarmError` where they are too few."""
        return cls.from_candles([parse_candles(path.read_bytes(), path.name) for path in paths], tuple(path.name for path in paths))

    @classmethod
    def from_synthetic(cls) -> "Sample":
        """From made-up candles: better than none, but a model that was trained on real ones may behave otherwise on them."""
        coins = [generate(f"DEMO{letter}", "1m", _START_OF_2026_MS, 250_000, seed=1) for letter in "ABC"]
        return cls.from_candles(coins, tuple(coin.symbol for coin in coins))

    @classmethod
    def from_candles(cls, coins: Sequence[Candles], names: tuple[str, ...]) -> "Sample":
        """Windows side by side, evenly spread over all the candles; every third is for calibration."""
        every = Columns(*(np.concatenate(columns) for columns in zip(*(_separate_windows(coin) for coin in coins), strict=True)))
        count = min(len(every.close), _CALIBRATION_FRAMES + _PARITY_FRAMES)
        chosen = np.linspace(0, len(every.close) - 1, count).astype(np.intp)
        for_calibration = np.arange(count) % _SHARE_CALIBRATION == 0
        if (~for_calibration).sum() < _MIN_PARITY_FRAMES:
            needed = STANDARD.window_candles * _MIN_PARITY_FRAMES * _SHARE_CALIBRATION // (_SHARE_CALIBRATION - 1)
            raise CoinfarmError(
                f"the candles make {count} separate windows, too few to judge a compiled form by: give files of {needed:,} candles or more"
            )

        def drawn(part: np.ndarray) -> Frames:
            return draw_frames(Columns(*(column[part] for column in every)))

        return cls(drawn(chosen[for_calibration]), drawn(chosen[~for_calibration]), names)


def _separate_windows(coin: Candles) -> Columns:
    """Windows `(n, 200)` that share no candle, without those of which more than half was filled."""
    window = STANDARD.window_candles
    candles = fill_gaps(coin)
    if len(candles) < window:
        raise CoinfarmError(f"{coin.symbol}: {len(candles)} candles make no window of {window}")
    separate = windows(candles.columns, STANDARD, window)
    count = len(separate.close)
    real = ~is_mostly_filled(filled_counts(candles, window * np.arange(count), window), window)
    return Columns(*(column[real] for column in separate))
