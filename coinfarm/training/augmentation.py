"""The market upside down: every rise a fall. A chart and its mirror image are equally likely, to a first approximation."""

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Values
from coinfarm.labels import flip_targets
from image_render.rows import RowNumbers, Rows
from image_render.spec import STANDARD

_BODY_LOW, _BODY_HIGH, _WICK_LOW, _WICK_HIGH, _ = range(len(RowNumbers._fields))


def mirror_frames(rows: Rows, targets: Values, chosen: NDArray[np.bool_]) -> Values:
    """Turn the chosen of the frames, told by their rows `(n, 200, 5)`, upside down, in place; their targets `(n, 3)` are returned.

    Prices are reflected at the middle of the window, so the highest becomes the lowest; volume stays as it is. In `window_range` units
    the targets are exactly those of the reflected prices, in percent nearly so.
    """
    prices = [_BODY_LOW, _BODY_HIGH, _WICK_LOW, _WICK_HIGH]
    reflected = [_BODY_HIGH, _BODY_LOW, _WICK_HIGH, _WICK_LOW]
    turned = rows[chosen]
    turned[..., prices] = STANDARD.price_rows - 1 - turned[..., reflected]
    rows[chosen] = turned
    return np.where(chosen[:, None], flip_targets(targets), targets)
