from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from coinfarm.engines.frame_independence import check_independence
from coinfarm.errors import ModelError

Frames = Any


def mean_pixels(frames: Frames) -> Any:
    return frames.reshape(len(frames), -1, 3).mean(axis=1, dtype=np.float32)


def less_mean_of_batch(frames: Frames) -> Any:
    return mean_pixels(frames) - mean_pixels(frames).mean(axis=0)


def with_state() -> Callable[[Frames], Any]:
    seen = [np.float32(0)]

    def predict(frames: Frames) -> Any:
        seen[0] += frames.mean(dtype=np.float32)
        return mean_pixels(frames) + seen[0]

    return predict


def of_three(frames: Frames) -> Any:
    return mean_pixels(frames.reshape(3, 200, 150, 3))


def test_predictions_of_single_frames_pass_whatever_float32_rounds() -> None:
    check_independence(mean_pixels, "a")
    check_independence(lambda frames: mean_pixels(frames) * np.float32(1 + 1e-5 * len(frames)), "a")
    check_independence(lambda frames: np.zeros((len(frames), 3), np.float32), "a")


@pytest.mark.parametrize("predict", [less_mean_of_batch, with_state(), of_three], ids=["mean of batch", "state", "one size of batch"])
def test_rejects_predictions_that_depend_on_other_frames(predict: Callable[[Frames], Any]) -> None:
    with pytest.raises(ModelError, match="20260101-abcdefgh"):
        check_independence(predict, "20260101-abcdefgh")
