"""Timings in turns."""

from collections.abc import Callable

import pytest

from benchmarks import timing


def test_measures_in_turns_and_takes_the_best_round(monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[str] = []
    seconds = {"fast": iter([2.0, 1.0, 3.0]), "slow": iter([9.0, 8.0, 7.0])}

    def median_s(call: Callable[[], str], *, budget_s: float) -> float:
        measured.append(call())
        return next(seconds[call()]) * budget_s

    monkeypatch.setattr(timing, "median_s", median_s)
    assert timing.best_s({"fast": lambda: "fast", "slow": lambda: "slow"}, budget_s=2.0) == {"fast": 2.0, "slow": 14.0}
    assert measured == ["fast", "slow"] * 3


def test_median_of_at_least_three_calls_after_a_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 0.0, 5.0, 6.0, 7.0, 10.0, 12.0, 99.0])
    monkeypatch.setattr(timing.time, "perf_counter", lambda: next(clock))
    calls: list[None] = []
    assert timing.median_s(lambda: calls.append(None), budget_s=1.0) == 2.0
    assert len(calls) == 4
