import json
from collections import Counter
from unittest.mock import Mock

import pytest

from coinfarm.errors import CandleError, ErrorDetail, ModelError, NotFound, TooLarge, Unavailable
from handler import app
from handler.drain import Drain
from handler.idle_timer import IdleTimer
from handler.message_batch import OutOfTime
from handler.telemetry import print_metrics
from handler.visibility import VisibilityExtender
from handler.worker_settings import WorkerSettings
from handler.worker_thread import WorkerThread, retry_delay_s
from tests.support.demo_requests import demo_request
from tests.support.fake_queue import FakeQueue, received

SETTINGS = {"QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/shards"}


@pytest.fixture(autouse=True)
def counted():
    """Do not leave metrics to the next test."""
    yield
    print_metrics()


class ThreadUnderTest(WorkerThread):
    """Runs in the test's own thread, without pauses, until the queue is empty."""

    def __init__(self, queue, *count_messages):
        settings = WorkerSettings.from_environment(SETTINGS)
        self.visibility, self.idle_timer, self.drain = VisibilityExtender(queue, 60), IdleTimer(), Drain(0)
        self.pauses = []
        self.max_pauses = 20
        self.drain.wait = self.wait
        super().__init__("worker-thread-1", settings, app.service(), queue, self.visibility, self.idle_timer, self.drain, *count_messages)

    def wait(self, pause_s):
        self.pauses.append(pause_s)
        return self.drain.is_started or self.idle_timer.idle_s > 0 or len(self.pauses) >= self.max_pauses


def run_thread(queue, *count_messages):
    thread = ThreadUnderTest(queue, *count_messages)
    thread.run()
    return thread


def shard(name, seed=1):
    return json.dumps({**demo_request(202, seed), "resultsUri": f"{name}.json"})


def test_deletes_processed_messages_and_releases_failed_ones(folder, engine_calls):
    queue = FakeQueue(received("good", shard("good", 1)), received("bad", "{}"), received("well", shard("well", 2)))
    thread = run_thread(queue)
    assert queue.deleted == ["receipt of good", "receipt of well"]
    assert queue.timeouts == {"receipt of bad": 0}
    assert {path.name for path in (folder / "results").iterdir()} == {"good.json", "well.json"}
    assert engine_calls == [6], "both share a batch"
    assert len(thread.visibility) == 0


def test_counts_what_became_of_the_messages(folder):
    (folder / "results").mkdir()
    (folder / "results/lost.json").mkdir()
    queue = FakeQueue(
        received("good", shard("good")), received("bad", "{}"), received("lost", shard("lost")), received("well", shard("well", 2))
    )
    counted = Counter()
    run_thread(queue, lambda outcome, messages: counted.update({outcome: messages}))
    assert counted == {"done": 2, "failed": 1, "retried": 1}


def test_deletes_no_message_before_its_result_is_written(folder):
    queue = FakeQueue(received("good", shard("good")))
    (folder / "results").write_text("a file where the folder should be")
    run_thread(queue)
    assert queue.deleted == []
    assert queue.timeouts == {"receipt of good": 30}


@pytest.mark.usefixtures("broken_engine")
def test_backs_off_and_shuts_down_when_every_message_fails():
    queue = FakeQueue(*(received(f"m{number}", shard(f"m{number}"), 2) for number in range(40)))
    thread = run_thread(queue)
    assert thread.drain.is_failure
    assert thread.pauses == [0, 1, 1]
    assert len(queue.waiting) == 40 - 2 * 4
    assert set(queue.timeouts.values()) == {60}


def test_invalid_messages_do_not_stop_the_worker():
    queue = FakeQueue(*(received(f"m{number}", "{}") for number in range(40)))
    thread = run_thread(queue)
    assert not thread.drain.is_started
    assert set(thread.pauses) == {0}
    assert len(queue.timeouts) == 40


@pytest.mark.parametrize("error", [Unavailable("S3 is unavailable"), NotFound("no such bucket")], ids=["unavailable", "not found"])
def test_storage_errors_do_not_stop_the_worker(monkeypatch, error):
    monkeypatch.setattr("coinfarm.storage.folder.FolderStorage.write", Mock(side_effect=error))
    queue = FakeQueue(*(received(f"m{number}", shard(f"m{number}")) for number in range(28)))
    thread = run_thread(queue)
    assert not thread.drain.is_started
    assert queue.deleted == []
    assert set(queue.timeouts.values()) == {30}


def test_backs_off_while_the_queue_is_unavailable():
    queue = FakeQueue()
    queue.error = Unavailable("the queue cannot be reached")
    thread = run_thread(queue)
    assert thread.pauses[:8] == [0, 1, 2, 4, 8, 16, 30, 30]
    assert thread.idle_timer.idle_s == 0, "it is unknown whether the queue is empty"


def test_releases_messages_received_during_shutdown_without_processing_them(folder, engine_calls):
    queue = FakeQueue(received("late", shard("late")))
    thread = ThreadUnderTest(queue)
    receive = queue.receive
    queue.receive = lambda *arguments: [thread.drain.start(), receive(*arguments)][1]
    thread.run()
    assert queue.timeouts == {"receipt of late": 0}
    assert engine_calls == []


@pytest.mark.parametrize(
    ("error", "delays_s"),
    [
        *((error, [0, 0, 0]) for error in (OutOfTime(), CandleError(ErrorDetail("", "invalid")), TooLarge(""))),
        *((error, [30, 60, 900]) for error in (NotFound(""), Unavailable(""), ModelError(""), ZeroDivisionError())),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_retry_delay_by_error_and_receive_count(error, delays_s):
    assert [retry_delay_s(error, count) for count in (1, 2, 12)] == delays_s


@pytest.mark.parametrize(("idle_exit_s", "waits_s"), [(None, [20, 20]), (3, [3, 1]), (0.5, [1, 1]), (25, [20, 5]), (300, [20, 20])])
def test_receive_waits_at_most_the_remaining_idle_time(clock, idle_exit_s, waits_s):
    settings = WorkerSettings.from_environment(SETTINGS | ({} if idle_exit_s is None else {"IDLE_EXIT_S": str(idle_exit_s)}))
    waits, queue = [], FakeQueue()

    def receive(count, wait_s, visibility_timeout_s):
        waits.append(wait_s)
        clock[0] += wait_s
        return []

    queue.receive = receive
    thread = WorkerThread("thread", settings, None, queue, None, IdleTimer(), Drain(0))
    for _ in waits_s:
        thread._receive()
    assert waits == waits_s
