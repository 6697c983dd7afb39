"""Checks that a network predicts each frame by itself: batches and requests are made of any number of frames, in any order."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from coinfarm.errors import ModelError
from image_render.render import Frames
from image_render.spec import STANDARD

_TOLERANCE = 1e-3
"""Of the largest prediction: float32 rounds sums over batches of another size differently."""


def check_independence(predict: Callable[[Frames], NDArray[np.float32]], version: str) -> None:
    """Raises `ModelError` if a frame is predicted otherwise beside others or after them, or if batches of some sizes fail."""
    frames = _unlike_frames()
    try:
        together = predict(frames)
        alone = np.concatenate([predict(frames[at : at + 1]) for at in (2, 1, 0)])[::-1]
    except Exception as error:  # of many types, for shapes that hold for one size of batch only
        raise ModelError(
            f"model {version} fails for batches of 1 and 3 frames: build it with keras.Input({STANDARD.shape}), without a size of batch in "
            "it or in a reshape, and without stateful=True"
        ) from error
    with np.errstate(invalid="ignore"):  # of infinite predictions, which are not comparable
        differs = np.abs(together - alone).max() > _TOLERANCE * np.abs(together).max()
    if differs:
        raise ModelError(
            f"model {version} predicts a frame differently if others are beside it or came before it: one of its layers works across the "
            "batch (axis 0), or keeps its state (stateful=True): build it without"
        )


def _unlike_frames() -> Frames:
    """An empty frame, one of thin stripes, and one that is full."""
    frames = np.zeros((3, *STANDARD.shape), np.uint8)
    frames[1, ::7] = 1
    frames[2] = 1
    return frames
