"""Finds the best batch size for a device by measuring."""

from collections.abc import Callable, Sequence

_MEMORY_SHARE = 0.4
"""The share of the device's memory that may be in use; two batches run at the same time."""
_MIN_SPEEDUP = 1.1


def best_batch_size(sizes: Sequence[int], seconds_of: Callable[[int], float], memory: Callable[[], tuple[int, int] | None]) -> int:
    """The largest of the ascending `sizes` that is faster per frame than the one before and fits into memory.

    `seconds_of(size)` runs a batch and returns its duration. `memory()` returns the peak bytes in use and the limit, or None; the next size
    is assumed to need proportionally more memory. The search also ends at a memory error of the backend. Raises what `seconds_of` raises,
    including the memory error if not even the smallest size fits.
    """
    best, best_rate = 0, 0.0
    for at, size in enumerate(sizes):
        if at and _exceeds_memory(memory(), size / sizes[at - 1]):
            break
        try:
            rate = size / seconds_of(size)
        except Exception as error:
            if best and is_memory_error(error):
                break
            raise
        if rate < best_rate * _MIN_SPEEDUP:
            break
        best, best_rate = size, rate
    return best


def is_memory_error(error: Exception) -> bool:
    """Whether the error is an out-of-memory error of JAX or TensorFlow, checked without importing them."""
    return type(error).__name__ == "ResourceExhaustedError" or "RESOURCE_EXHAUSTED" in str(error)


def _exceeds_memory(memory: tuple[int, int] | None, growth: float) -> bool:
    if memory is None:
        return False
    used, limit = memory
    return used * growth > limit * _MEMORY_SHARE
