from collections.abc import Callable

import pytest

from coinfarm.engines.batch_size import best_batch_size

SIZES = (1, 4, 16, 64, 256)


class ResourceExhaustedError(Exception):
    """Has the name of TensorFlow's error."""


def exhausted(at: int, error: Exception) -> Callable[[int], float]:
    def seconds_of(size: int) -> float:
        if size >= at:
            raise error
        return 0.001

    return seconds_of


@pytest.mark.parametrize(
    ("seconds_of", "best"),
    [
        pytest.param(lambda size: 0.001, 256, id="the largest"),
        pytest.param(lambda size: 0.001 * max(1, size / 16), 16, id="saturated"),
        pytest.param(exhausted(64, RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate")), 16, id="JAX out of memory"),
        pytest.param(exhausted(4, ResourceExhaustedError("failed to allocate memory")), 1, id="TensorFlow out of memory"),
    ],
)
def test_best_batch_size(seconds_of: Callable[[int], float], best: int) -> None:
    assert best_batch_size(SIZES, seconds_of, lambda: None) == best


def test_does_not_try_sizes_over_the_memory_limit() -> None:
    tried: list[int] = []

    def seconds_of(size: int) -> float:
        tried.append(size)
        return 0.001

    assert best_batch_size(SIZES, seconds_of, lambda: (20 + 20 * tried[-1], 900)) == 4  # 4 × (20 + 20 × 4) is more than 40 % of 900
    assert tried == [1, 4]


@pytest.mark.parametrize(
    ("at", "error"),
    [
        pytest.param(1, RuntimeError("RESOURCE_EXHAUSTED"), id="one frame does not fit"),
        pytest.param(16, ValueError("another error"), id="another error"),
    ],
)
def test_raises_other_errors_and_memory_errors_of_the_smallest_size(at: int, error: Exception) -> None:
    with pytest.raises(type(error), match=str(error)):
        best_batch_size(SIZES, exhausted(at, error), lambda: None)
