"""When candles are asked for, with a clock that stands still."""

from types import SimpleNamespace

import pytest

from coinfarm.live import fetch_schedule
from coinfarm.live.fetch_schedule import FetchSchedule
from tests.support.synthetic_candles import MINUTE_MS, START_MS

NEXT_MS = START_MS
CLOSED_AT = 1_060.0


@pytest.fixture
def now(monkeypatch):
    now = SimpleNamespace(s=1_000.0)
    monkeypatch.setattr(fetch_schedule.time, "monotonic", lambda: now.s)
    return now


@pytest.fixture
def schedule(now):
    """Of a series whose next candle opens at 1000 s and closes at 1060 s, of which the last candles were fetched."""
    series = SimpleNamespace(next_ms=NEXT_MS, has_gap=False)
    clock = SimpleNamespace(monotonic_at=lambda time_ms: 1_000 + (time_ms - START_MS) / 1000)
    schedule = FetchSchedule(series, MINUTE_MS, clock)
    assert schedule.due_at(is_streaming=True) <= now.s, "at the start"
    answered(schedule)
    schedule.note_stored()
    return schedule


def answered(schedule):
    schedule.note_request()
    assert schedule.due_at(is_streaming=True) is None
    schedule.note_answer()


def test_without_a_stream_a_candle_is_asked_for_right_after_its_close_and_again_until_it_comes(schedule, now):
    assert schedule.due_at(is_streaming=False) == CLOSED_AT + 0.25
    pauses = []
    for _ in range(8):
        now.s = schedule.due_at(is_streaming=False)
        answered(schedule)
        pauses.append(schedule.due_at(is_streaming=False) - now.s)
    assert pauses == [0.25, 0.5, 1, 2, 4, 8, 15, 15]


def test_a_stream_gets_a_second_to_deliver_a_candle(schedule):
    assert schedule.due_at(is_streaming=True) == CLOSED_AT + 1


def test_a_candle_of_a_stream_is_read_again_by_rest_once(schedule, now):
    schedule.series.next_ms += MINUTE_MS
    schedule.note_stored()
    assert schedule.due_at(is_streaming=True) == CLOSED_AT + 10
    answered(schedule)
    assert schedule.due_at(is_streaming=True) == CLOSED_AT + 61


@pytest.mark.parametrize(
    "happen",
    [
        lambda schedule: setattr(schedule.series, "has_gap", True),
        lambda schedule: setattr(schedule.series, "next_ms", None),
        lambda schedule: schedule.note_begun(NEXT_MS + MINUTE_MS),
        lambda schedule: schedule.ask_now(),
    ],
    ids=["gap", "new series", "next candle", "reconnected"],
)
def test_what_may_be_missing_is_asked_for_at_once(schedule, now, happen):
    happen(schedule)
    assert schedule.due_at(is_streaming=True) <= now.s


def test_an_update_of_the_open_candle_changes_nothing(schedule):
    schedule.note_begun(NEXT_MS)
    assert schedule.due_at(is_streaming=True) == CLOSED_AT + 1
