"""The batch size that a device wants: found by trying."""

from collections.abc import Callable, Sequence

_MEMORY_SHARE = 0.4
"""Of a device's memory may be in use: two batches are at work at once."""
_WORTHWHILE_GAIN = 1.1


def best_batch_size(sizes: Sequence[int], seconds_of: Callable[[int], float], memory: Callable[[], tuple[int, int] | None]) -> int:
    """The size up to which a larger batch is worth its memory, of `sizes`, ascending, each so many times the one before.

    `seconds_of(size)` runs a batch. It ends where the device's memory does (the error of either backend, or by `memory()`, the most
    bytes in use so far and how many there are: a batch grows its share as it grows), or where a larger batch is no faster. Raises what
    `seconds_of` does, and its memory error where not even the smallest size fits.
    """
    best, best_rate = 0, 0.0
    for at, size in enumerate(sizes):
        if at and _is_too_much(memory(), size / sizes[at - 1]):
            break
        try:
            rate = size / seconds_of(size)
        except Exception as error:
            if best and is_memory_error(error):
                break
            raise
        if rate < best_rate * _WORTHWHILE_GAIN:
            break
        best, best_rate = size, rate
    return best


def is_memory_error(error: Exception) -> bool:
    """Whether a device ran out of memory, as JAX and TensorFlow say it: their classes cannot be named without an import of theirs."""
    return type(error).__name__ == "ResourceExhaustedError" or "RESOURCE_EXHAUSTED" in str(error)


def _is_too_much(memory: tuple[int, int] | None, growth: float) -> bool:
    if memory is None:
        return False
    used, limit = memory
    return used * growth > limit * _MEMORY_SHARE
