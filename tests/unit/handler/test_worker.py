"""The worker's parts; tests/integration runs it as a process."""

import json
import threading

import pytest

from coinfarm.aws.sqs import QueueMessage
from coinfarm.errors import CandleError, CoinfarmError, Fault, ModelError, NotFound, TooLarge, Unavailable
from handler import app, drain
from handler.drain import Drain
from handler.idle_timer import IdleTimer
from handler.message_batch import OutOfTime
from handler.telemetry import print_metrics
from handler.visibility import VisibilityExtender
from handler.worker import Worker
from handler.worker_settings import WorkerSettings
from handler.worker_thread import WorkerThread, retry_delay_s
from tests.support.demo_requests import demo_request

SETTINGS = {"QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/shards"}


@pytest.fixture(autouse=True)
def counted():
    """What was counted here is no other test's."""
    yield
    print_metrics()


def received(name, body="", count=1):
    return QueueMessage(name, body, f"receipt of {name}", count)


class FakeQueue:
    """Gives its messages once, four at a time, and remembers what became of them."""

    def __init__(self, *messages):
        self.waiting = list(messages)
        self.deleted, self.hidden = [], {}
        self.error = None

    def receive(self, most, wait_s, visibility_timeout_s):
        self._fail()
        given, self.waiting = self.waiting[:most], self.waiting[most:]
        return given

    def delete(self, receipts):
        self._fail()
        self.deleted += receipts
        return {}

    def extend(self, receipts, visibility_timeout_s):
        self._fail()
        self.hidden |= dict.fromkeys(receipts, visibility_timeout_s)
        return {}

    def _fail(self):
        if self.error:
            raise self.error


class LaneUnderTest(WorkerThread):
    """One that runs in the test's own thread, until the queue is empty; its pauses take no time."""

    def __init__(self, queue):
        settings = WorkerSettings.from_environment(SETTINGS)
        self.held, self.idleness, self.drain = VisibilityExtender(queue, 60), IdleTimer(), Drain(0)
        self.pauses = []
        self.max_pauses = 20
        self.drain.wait = self.wait
        super().__init__("lane", settings, app.service(), queue, self.held, self.idleness, self.drain)

    def wait(self, pause_s):
        self.pauses.append(pause_s)
        return self.drain.begun or self.idleness.lasted_s > 0 or len(self.pauses) >= self.max_pauses


@pytest.fixture
def work_lane():
    def work_lane(queue):
        lane = LaneUnderTest(queue)
        lane.run()
        return lane

    return work_lane


def shard(name, seed=1):
    return json.dumps({**demo_request(202, seed), "resultsUri": f"{name}.json"})


def test_what_is_done_is_deleted_and_what_failed_is_given_back(work_lane, folder, engine_calls):
    queue = FakeQueue(received("good", shard("good", 1)), received("bad", "{}"), received("well", shard("well", 2)))
    lane = work_lane(queue)
    assert queue.deleted == ["receipt of good", "receipt of well"]
    assert queue.hidden == {"receipt of bad": 0}
    assert {path.name for path in (folder / "results").iterdir()} == {"good.json", "well.json"}
    assert engine_calls == [6], "they share a batch"
    assert len(lane.held) == 0


def test_nothing_is_deleted_before_its_answer_is_written(work_lane, folder):
    queue = FakeQueue(received("good", shard("good")))
    (folder / "results").write_text("a file where the folder should be")
    work_lane(queue)
    assert queue.deleted == []
    assert queue.hidden == {"receipt of good": 30}


@pytest.mark.usefixtures("broken_engine")
def test_a_machine_that_fails_at_everything_slows_down_and_ends(work_lane):
    queue = FakeQueue(*(received(f"m{number}", shard(f"m{number}"), 2) for number in range(40)))
    lane = work_lane(queue)
    assert lane.drain.is_failure
    assert lane.pauses == [0, 1, 1]
    assert len(queue.waiting) == 40 - 2 * 4
    assert set(queue.hidden.values()) == {60}


def test_bad_messages_do_not_end_the_machine(work_lane):
    queue = FakeQueue(*(received(f"m{number}", "{}") for number in range(40)))
    lane = work_lane(queue)
    assert not lane.drain.begun
    assert set(lane.pauses) == {0}
    assert len(queue.hidden) == 40


@pytest.mark.parametrize("error", [Unavailable("S3 cannot answer now"), NotFound("no such bucket")], ids=["down", "not there"])
def test_a_storage_that_fails_does_not_end_the_machine(work_lane, monkeypatch, error):
    def refuse(*_, **__):
        raise error

    monkeypatch.setattr("coinfarm.storage.folder.FolderStorage.write", refuse)
    queue = FakeQueue(*(received(f"m{number}", shard(f"m{number}")) for number in range(28)))
    lane = work_lane(queue)
    assert not lane.drain.begun
    assert queue.deleted == []
    assert set(queue.hidden.values()) == {30}


def test_a_queue_that_does_not_answer_is_asked_ever_more_seldom(work_lane):
    queue = FakeQueue()
    queue.error = Unavailable("the queue cannot be reached")
    lane = work_lane(queue)
    assert lane.pauses[:8] == [0, 1, 2, 4, 8, 16, 30, 30]
    assert lane.idleness.lasted_s == 0, "nobody knows whether it is empty"


def test_what_is_received_while_the_drain_begins_is_given_back_unworked(folder, engine_calls):
    queue = FakeQueue(received("late", shard("late")))
    lane = LaneUnderTest(queue)
    receive = queue.receive

    def receive_slowly(*asked):
        lane.drain.begin()
        return receive(*asked)

    queue.receive = receive_slowly
    lane.run()
    assert queue.hidden == {"receipt of late": 0}
    assert engine_calls == []


@pytest.mark.parametrize(
    ("error", "delays_s"),
    [
        pytest.param(OutOfTime(), [0, 0, 0], id="no time"),
        pytest.param(CandleError(Fault("", "impossible")), [0, 0, 0], id="a bad message"),
        pytest.param(TooLarge(""), [0, 0, 0], id="too much"),
        pytest.param(NotFound(""), [30, 60, 900], id="candles that are not there"),
        pytest.param(Unavailable(""), [30, 60, 900], id="storage that cannot answer"),
        pytest.param(ModelError(""), [30, 60, 900], id="a model that cannot serve"),
        pytest.param(ZeroDivisionError(), [30, 60, 900], id="a mistake of ours"),
    ],
)
def test_a_message_comes_again_at_once_where_it_is_at_fault_and_else_later_each_time(error, delays_s):
    assert [retry_delay_s(error, count) for count in (1, 2, 12)] == delays_s


def test_held_messages_are_hidden_again_until_they_are_let_go():
    queue = FakeQueue()
    held = VisibilityExtender(queue, 60)
    first, second = received("first"), received("second")
    held.take([first, second])
    held.let_go([first])
    held.hide_on()
    assert queue.hidden == {second.receipt: 60}
    held.give_back()
    assert queue.hidden == {second.receipt: 0}


def test_a_message_that_is_no_longer_ours_is_not_held():
    queue = FakeQueue()
    queue.extend = lambda receipts, visibility_timeout_s: dict.fromkeys(receipts, "ReceiptHandleIsInvalid")
    held = VisibilityExtender(queue, 60)
    held.take([received("lost")])
    held.hide_on()
    assert len(held) == 0


def test_while_the_queue_does_not_answer_messages_stay_held():
    queue = FakeQueue()
    held = VisibilityExtender(queue, 60)
    held.take([received("mine")])
    queue.error = Unavailable("the queue cannot be reached")
    held.hide_on()
    queue.error = None
    held.hide_on()
    assert queue.hidden == {"receipt of mine": 60}


def test_a_message_cannot_be_let_go_while_the_queue_is_told_to_hide_it():
    """Else it would be given back first and hidden then, by nobody who works on it."""
    queue, told, go_on = FakeQueue(), threading.Event(), threading.Event()
    held = VisibilityExtender(queue, 60)
    held.take([received("one")])

    def extend(receipts, visibility_timeout_s):
        told.set()
        assert go_on.wait(60)
        return {}

    queue.extend = extend
    heartbeat = threading.Thread(target=held.hide_on)
    heartbeat.start()
    assert told.wait(60)
    settling = threading.Thread(target=held.let_go, args=[[received("one")]])
    settling.start()
    settling.join(0.05)
    assert settling.is_alive()
    go_on.set()
    settling.join(60)
    heartbeat.join(60)
    assert len(held) == 0


class FakeLane:
    name = "lane 1"

    def __init__(self, silent_s, alive):
        self.silent_s = silent_s
        self.is_alive = lambda: alive


@pytest.mark.parametrize(
    ("silent_s", "alive", "fails"),
    [
        pytest.param(1, True, False, id="at work"),
        pytest.param(601, True, True, id="stuck"),
        pytest.param(1, False, True, id="dead"),
    ],
)
def test_a_lane_that_does_nothing_more_ends_the_worker(tmp_path, silent_s, alive, fails):
    settings = WorkerSettings.from_environment({**SETTINGS, "HEALTH_FILE": str(tmp_path / "health")})
    worker = Worker(settings, app.service())
    worker._lanes = [FakeLane(silent_s, alive)]
    worker._watch()
    worker._tell_health()
    assert (worker._drain.begun, worker._drain.is_failure) == (fails, fails)
    assert settings.health_file.exists() != fails


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves: `clock[0] += 10`."""
    clock = [1000.0]
    monkeypatch.setattr(drain.time, "monotonic", lambda: clock[0])
    return clock


def test_work_may_go_on_for_the_grace_and_no_longer(clock):
    drain = Drain(80)
    drain.check()
    assert drain.begin()
    clock[0] += 79
    drain.check()
    clock[0] += 2
    with pytest.raises(OutOfTime):
        drain.check()


def test_a_second_reason_does_not_prolong_the_grace(clock):
    drain = Drain(80)
    assert drain.begin()
    clock[0] += 60
    assert not drain.begin(is_failure=True)
    assert drain.left_s == 20
    assert not drain.is_failure


def test_hurry_ends_the_grace(clock):
    drain = Drain(80)
    drain.begin()
    drain.hurry()
    with pytest.raises(OutOfTime):
        drain.check()


def test_idleness_begins_with_the_first_call_in_vain(clock):
    idleness = IdleTimer()
    assert idleness.lasted_s == 0
    idleness.begin(980)
    idleness.begin(999)
    assert idleness.lasted_s == 20
    idleness.end()
    assert idleness.lasted_s == 0


@pytest.mark.parametrize(("idle_exit_s", "waits_s"), [(None, [20, 20]), (3, [3, 1]), (0.5, [1, 1]), (25, [20, 5]), (300, [20, 20])])
def test_no_call_waits_longer_than_the_worker_may_be_idle(clock, idle_exit_s, waits_s):
    settings = WorkerSettings.from_environment(SETTINGS | ({} if idle_exit_s is None else {"IDLE_EXIT_S": str(idle_exit_s)}))
    idleness, asked = IdleTimer(), []

    class Empty:
        def receive(self, most, wait_s, visibility_timeout_s):
            asked.append(wait_s)
            clock[0] += wait_s
            return []

    lane = WorkerThread("lane", settings, None, Empty(), None, idleness, Drain(0))
    for _ in waits_s:
        lane._receive()
    assert asked == waits_s


def test_settings_come_from_the_environment():
    settings = WorkerSettings.from_environment({**SETTINGS, "IDLE_EXIT_S": "300", "WORKER_THREADS": "3"})
    assert (settings.queue_url, settings.idle_exit_s, settings.worker_threads) == (SETTINGS["QUEUE_URL"], 300, 3)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        pytest.param({}, "QUEUE_URL is not set", id="no queue"),
        pytest.param({**SETTINGS, "BATCH_MESSAGES": "11"}, "BATCH_MESSAGES='11': .* less than or equal to 10", id="more than SQS gives"),
        pytest.param({**SETTINGS, "DRAIN_S": "120"}, "DRAIN_S", id="longer than a spot notice"),
    ],
)
def test_settings_that_cannot_be_are_refused(variables, words):
    with pytest.raises(CoinfarmError, match=words):
        WorkerSettings.from_environment(variables)
