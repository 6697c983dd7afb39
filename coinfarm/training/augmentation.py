"""Augmentation by flipping frames vertically: every rise becomes a decline, and both are about equally likely."""

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Values
from coinfarm.targets import flip_targets
from image_render.rows import RowNumbers, Rows
from image_render.spec import STANDARD

_BODY_LOW, _BODY_HIGH, _WICK_LOW, _WICK_HIGH, _ = range(len(RowNumbers._fields))


def flip_frames(rows: Rows, targets: Values, chosen: NDArray[np.bool_]) -> Values:
    """Flip the `chosen` frames `(n,)` vertically: their row numbers `(n, 200, 5)` in place, and their targets `(n, outputs)` as the result.

    Prices are flipped at the middle of the window's range, so that the highest becomes the lowest; volume stays. In units of
    `window_range` the targets are exactly those of the flipped prices, in percent approximately.
    """
    prices = [_BODY_LOW, _BODY_HIGH, _WICK_LOW, _WICK_HIGH]
    opposite = [_BODY_HIGH, _BODY_LOW, _WICK_HIGH, _WICK_LOW]
    flipped = rows[chosen]
    flipped[..., prices] = STANDARD.price_rows - 1 - flipped[..., opposite]
    rows[chosen] = flipped
    return np.where(chosen[:, None], flip_targets(targets), targets)
