"""Median timings, robust to background load."""

import statistics
import time
from collections.abc import Callable


def median_s(call: Callable[[], object], *, budget_s: float = 3.0, min_calls: int = 3) -> float:
    """The median time of repeated calls after a warm-up call, as many as fit into the budget."""
    call()
    taken: list[float] = []
    until = time.perf_counter() + budget_s
    while len(taken) < min_calls or time.perf_counter() < until:
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)
