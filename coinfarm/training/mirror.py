"""The market upside down: every rise a fall. A chart and its mirror image are equally likely, to a first approximation."""

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles import Values
from image_render.draw import Frames
from image_render.spec import BODY, WICK


def mirror(frames: Frames, targets: Values, chosen: NDArray[np.bool_]) -> Values:
    """Turn the chosen of the frames `(n, 200, 150, 3)` upside down, in place; the targets `(n, 3)` that go with them are returned.

    Prices are reflected at the middle of the window, so the highest becomes the lowest; volume stays as it is. In `window_range` units
    the targets are exactly those of the reflected prices, in percent nearly so.
    """
    for channel in (BODY, WICK):
        frames[chosen, :, :, channel] = frames[chosen, :, ::-1, channel]
    rise, decline, end = targets.T
    return np.where(chosen[:, None], -np.stack([decline, rise, end], axis=1), targets)
