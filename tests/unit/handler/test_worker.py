"""The worker's main thread; tests/integration runs the worker as a process."""

import pytest

from handler import app
from handler.worker import Worker
from handler.worker_settings import WorkerSettings


class FakeThread:
    name = "worker-thread-1"

    def __init__(self, inactive_s, alive):
        self.inactive_s = inactive_s
        self.is_alive = lambda: alive


@pytest.mark.parametrize(
    ("inactive_s", "alive", "fails"),
    [
        pytest.param(1, True, False, id="active"),
        pytest.param(601, True, True, id="stuck"),
        pytest.param(1, False, True, id="dead"),
    ],
)
def test_a_stuck_or_dead_thread_stops_the_worker(tmp_path, inactive_s, alive, fails):
    health_file = tmp_path / "health"
    worker = Worker(WorkerSettings(queue_url="https://sqs.us-east-1.amazonaws.com/1/shards", health_file=health_file), app.service())
    worker._threads = [FakeThread(inactive_s, alive)]
    worker._check_state()
    worker._touch_health_file()
    assert (worker._drain.is_started, worker._drain.is_failure) == (fails, fails)
    assert health_file.exists() != fails
