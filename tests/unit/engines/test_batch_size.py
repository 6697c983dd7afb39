"""How large a batch a device gets: a made-up device stands for one."""

from collections.abc import Callable

import pytest

from coinfarm.engines.batch_size import best_batch_size

SIZES = (1, 4, 16, 64, 256)


class ResourceExhaustedError(Exception):
    """TensorFlow's, by its name."""


def even(size: int) -> float:
    """A batch takes as long as any other: the larger the better."""
    return 0.001


def saturated(size: int) -> float:
    """From 16 frames on the device is busy."""
    return 0.001 * max(1, size / 16)


def exhausted(at: int, error: Exception) -> Callable[[int], float]:
    def seconds_of(size: int) -> float:
        if size >= at:
            raise error
        return even(size)

    return seconds_of


@pytest.mark.parametrize(
    ("seconds_of", "best"),
    [
        pytest.param(even, 256, id="the largest"),
        pytest.param(saturated, 16, id="no larger than is faster"),
        pytest.param(
            exhausted(64, RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate")), 16, id="JAX is out of memory"
        ),
        pytest.param(exhausted(4, ResourceExhaustedError("failed to allocate memory")), 1, id="TensorFlow is"),
    ],
)
def test_a_batch_grows_while_it_is_worth_it(seconds_of: Callable[[int], float], best: int) -> None:
    assert best_batch_size(SIZES, seconds_of, lambda: None) == best


def test_a_batch_that_would_take_too_much_memory_is_not_tried() -> None:
    tried: list[int] = []

    def seconds_of(size: int) -> float:
        tried.append(size)
        return even(size)

    assert best_batch_size(SIZES, seconds_of, lambda: (20 + 20 * tried[-1], 900)) == 4  # 4 × (20 + 20 × 4) is more than 40 % of it
    assert tried == [1, 4]


@pytest.mark.parametrize(
    ("at", "error"),
    [
        pytest.param(1, RuntimeError("RESOURCE_EXHAUSTED"), id="not even one frame fits"),
        pytest.param(16, ValueError("another fault"), id="it is not the memory"),
    ],
)
def test_what_is_no_matter_of_size_is_raised(at: int, error: Exception) -> None:
    with pytest.raises(type(error), match=str(error)):
        best_batch_size(SIZES, exhausted(at, error), lambda: None)
