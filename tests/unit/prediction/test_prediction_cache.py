from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from coinfarm.prediction.prediction_cache import Key, PredictionCache
from image_render.render import render_frames
from image_render.windows import windows
from tests.support.synthetic_candles import minutes

FRAMES = render_frames(windows(minutes(203).columns))


def outputs(value: float) -> NDArray[np.float32]:
    return np.full(3, value, np.float32)


def key(number: int) -> Key:
    return "version", number.to_bytes(16, "big")


def test_keys_depend_on_version_and_frame() -> None:
    cache = PredictionCache(10)
    for at, frame_key in enumerate(cache.keys("old", FRAMES)):
        cache.put(frame_key, outputs(at))
    assert [cache.get(frame_key) for frame_key in cache.keys("new", FRAMES)] == [None] * 4
    assert [float(cache.get(frame_key)[0]) for frame_key in cache.keys("old", FRAMES)] == [0, 1, 2, 3]  # type: ignore[index]


def test_keys_do_not_depend_on_the_memory_layout() -> None:
    cache = PredictionCache(1)
    interleaved = np.ascontiguousarray(FRAMES)
    assert interleaved.strides != FRAMES.strides
    assert cache.keys("version", interleaved) == cache.keys("version", FRAMES)


@pytest.mark.parametrize("pixel", [(0, 0, 0), (199, 149, 2), (100, 74, 1)], ids=["first", "last", "middle"])
def test_one_pixel_changes_the_key(pixel: tuple[int, int, int]) -> None:
    cache = PredictionCache(1)
    changed = FRAMES[:1].copy()
    changed[(0, *pixel)] ^= 1
    assert cache.keys("version", changed) != cache.keys("version", FRAMES[:1])


@pytest.mark.parametrize("use", [lambda cache: cache.get(key(1)), lambda cache: cache.put(key(1), outputs(1))], ids=["get", "put"])
def test_evicts_the_least_recently_used(use: Callable[[PredictionCache], object]) -> None:
    cache = PredictionCache(2)
    cache.put(key(1), outputs(1))
    cache.put(key(2), outputs(2))
    use(cache)
    cache.put(key(3), outputs(3))
    assert [cache.get(key(number)) is not None for number in (1, 2, 3)] == [True, False, True]


def test_does_not_keep_the_batch_in_memory() -> None:
    cache = PredictionCache(2)
    batch = np.zeros((100, 3), np.float32)
    cache.put(key(1), batch[7])
    cached = cache.get(key(1))
    assert cached is not None
    assert cached.base is None
    assert not np.shares_memory(cached, batch)
