import time

import pytest

from coinfarm.live import exchange_clock
from coinfarm.live.exchange_clock import ExchangeClock

NOW_MS = 1_577_836_800_000


@pytest.fixture
def local(monkeypatch):
    """`local.now` is the local time in seconds, which passes only when it is changed."""

    class Local:
        now = 1_577_836_900.0

    monkeypatch.setattr(exchange_clock.time, "time", lambda: Local.now)
    monkeypatch.setattr(exchange_clock.time, "monotonic", lambda: Local.now)
    return Local


@pytest.mark.parametrize(("speed", "passed_ms"), [(1.0, 2_500), (60.0, 150_000)])
def test_runs_on_from_the_exchanges_time(local, speed, passed_ms):
    clock = ExchangeClock(lambda: NOW_MS, speed)
    started = local.now
    local.now += 2.5
    assert clock.now_ms() == NOW_MS + passed_ms
    assert clock.monotonic_at(NOW_MS + passed_ms) == pytest.approx(started + 2.5)
    assert clock.skew_s == 100


def test_the_time_is_that_in_the_middle_of_the_request(local):
    def answer():
        local.now += 0.4
        return NOW_MS

    assert ExchangeClock(answer).now_ms() == NOW_MS + 200


def test_an_answer_that_takes_long_is_ignored(local):
    answers = [(0, NOW_MS), (1.1, NOW_MS + 50_000), (0.9, NOW_MS + 60_000)]

    def answer():
        seconds, time_ms = answers.pop(0)
        local.now += seconds
        return time_ms

    clock = ExchangeClock(answer)
    clock.synchronise()
    assert clock.now_ms() == NOW_MS + 1_100
    clock.synchronise()
    assert clock.now_ms() == NOW_MS + 60_450


def test_follows_the_monotonic_clock_when_the_local_time_is_changed(monkeypatch):
    clock = ExchangeClock(lambda: NOW_MS)
    monkeypatch.setattr(exchange_clock.time, "time", lambda: time.monotonic() + 1e6)
    assert NOW_MS <= clock.now_ms() < NOW_MS + 60_000
