"""Frames of real candles whose horizon is known, to compare the predictions of a model with."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles
from coinfarm.candles.filled_windows import filled_counts, is_mostly_filled
from coinfarm.candles.gaps import fill_gaps
from coinfarm.targets import targets_pct
from image_render.render import Frames, render_frames
from image_render.spec import STANDARD
from image_render.windows import Columns, window_range_pct, windows

FRAME_COUNT = 1_000


@dataclass(frozen=True, eq=False)
class LabelledFrames:
    """Frames `(n, 200, 150, 3)`, the true targets `(n, 3)` in percent, and the price range of each window `(n,)` in percent."""

    frames: Frames
    targets_pct: Values
    range_pct: Values

    def __len__(self) -> int:
        return len(self.frames)

    def first(self, count: int) -> "LabelledFrames":
        """Evenly spread frames, at most `count`."""
        chosen = np.linspace(0, len(self) - 1, min(count, len(self))).astype(np.intp)
        return LabelledFrames(self.frames[chosen], self.targets_pct[chosen], self.range_pct[chosen])

    @classmethod
    def from_candles(cls, coins: Sequence[Candles], horizon_candles: int, count: int = FRAME_COUNT) -> "LabelledFrames":
        """At most `count` windows, evenly spread over the candles; none are mostly filled or have no price range."""
        parts = [part for coin in coins if (part := _of_coin(coin, horizon_candles, count // len(coins))) is not None]
        views, targets = zip(*parts, strict=True) if parts else ((), ())
        if not parts:
            return cls(np.empty((0, *STANDARD.shape), np.uint8), np.empty((0, 3)), np.empty(0))
        view = Columns(*(np.concatenate(columns) for columns in zip(*views, strict=True)))
        return cls(render_frames(view), np.concatenate(targets), window_range_pct(view))


def _of_coin(coin: Candles, horizon_candles: int, count: int) -> tuple[Columns, Values] | None:
    window = STANDARD.window_candles
    candles = fill_gaps(coin)
    last_start = len(candles) - window - horizon_candles
    if last_start < 0:
        return None
    starts = np.unique(np.linspace(0, last_start, count).astype(np.int64))
    view = Columns(*(column[starts] for column in windows(candles.columns, STANDARD, 1)))
    is_usable = ~is_mostly_filled(filled_counts(candles, starts, window), window) & (window_range_pct(view) > 0)
    starts = starts[is_usable]
    targets = targets_pct(candles.columns, starts + window - 1, horizon_candles)
    return Columns(*(column[is_usable] for column in view)), targets
