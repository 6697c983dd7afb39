"""Timings that are robust to background load."""

import statistics
import time
from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

_Key = TypeVar("_Key", bound=Hashable)
_ROUNDS = 3


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


def best_s(calls: Mapping[_Key, Callable[[], object]], *, budget_s: float = 1.0) -> dict[_Key, float]:
    """The median time of each call in the best of three rounds, in which all are measured in turns."""
    rounds = [{key: median_s(call, budget_s=budget_s) for key, call in calls.items()} for _ in range(_ROUNDS)]
    return {key: min(each[key] for each in rounds) for key in calls}
