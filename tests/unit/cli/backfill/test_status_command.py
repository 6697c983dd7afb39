"""`coinfarm backfill status`."""

import json
import time
from collections.abc import Callable

import pytest
from click.testing import Result

from coinfarm.backfill.status import Status, StatusMonitor
from tests.support.cli_runner import unwrapped

Command = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("planned")


def test_status_without_a_queue(backfill: Command) -> None:
    shown = backfill("status", "--run", "run")
    assert (shown.exit_code, "0 of 3" in shown.stdout) == (3, True)
    assert "waiting" not in shown.stdout, "a run on this machine has no queue"
    assert "coinfarm backfill run --run" in unwrapped(shown.stdout)
    document = json.loads(backfill("status", "--run", "run", "--json").stdout)
    assert (document["shards"], document["done"], document["waiting"], document["complete"]) == (3, 0, None, False)


@pytest.fixture
def polls(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[float]]:
    """Sets the counts (done, waiting, in flight) that `status` finds in each poll; returns the pauses between polls."""

    def set_polls(*counts: tuple[int, int, int], unsent: int | None = 0) -> list[float]:
        pauses: list[float] = []
        remaining = iter(counts)
        original = StatusMonitor.status

        def status(self: StatusMonitor) -> Status:
            done, waiting, in_flight = next(remaining)
            return original(self).model_copy(update={"done": done, "waiting": waiting, "in_flight": in_flight, "unsent": unsent})

        monkeypatch.setattr(StatusMonitor, "status", status)
        monkeypatch.setattr(time, "sleep", pauses.append)
        return pauses

    return set_polls


def test_watch_prints_a_json_line_per_poll_until_all_shards_are_done(backfill: Command, polls: Callable[..., list[float]]) -> None:
    pauses = polls((0, 2, 1), (1, 0, 0), (2, 0, 1), (2, 0, 0), (2, 0, 0), (3, 0, 0))
    shown = backfill("status", "--run", "run", "--watch", "--json", "--every-s", 7)
    assert shown.exit_code == 0, "one poll of an empty queue is not enough: SQS counts lag"
    documents = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [document["done"] for document in documents] == [0, 1, 2, 2, 2, 3]
    assert [document["complete"] for document in documents] == [False] * 5 + [True]
    assert pauses == [7] * 5


def test_watch_ends_when_the_queue_stays_empty(backfill: Command, polls: Callable[..., list[float]]) -> None:
    pauses = polls((1, 2, 0), *[(1, 0, 0)] * 3)
    shown = backfill("status", "--run", "run", "--watch")
    assert shown.exit_code == 3
    assert len(pauses) == 3
    assert shown.stdout.count("1 of 3") == 1, "only a terminal shows every poll"
    assert "coinfarm backfill resume --run " in unwrapped(shown.stdout)


def test_run_that_was_never_submitted(backfill: Command, polls: Callable[..., list[float]]) -> None:
    polls((0, 0, 0), unsent=None)
    shown = unwrapped(backfill("status", "--run", "run").stdout)
    assert "coinfarm backfill submit --run " in shown
    assert "resume" not in shown
