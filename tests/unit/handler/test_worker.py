"""The worker's main thread; tests/integration runs the worker as a process."""

from types import SimpleNamespace

import pytest

from handler import app
from handler.worker import Worker
from handler.worker_settings import WorkerSettings


@pytest.mark.parametrize(
    ("inactive_s", "alive", "fails"),
    [(1, True, False), (601, True, True), (1, False, True)],
    ids=["active", "stuck", "dead"],
)
def test_a_stuck_or_dead_thread_stops_the_worker(tmp_path, inactive_s, alive, fails):
    health_file = tmp_path / "health"
    worker = Worker(WorkerSettings(queue_url="https://sqs.us-east-1.amazonaws.com/1/shards", health_file=health_file), app.service())
    worker._threads = [SimpleNamespace(name="worker-thread-1", inactive_s=inactive_s, is_alive=lambda: alive)]
    worker._check_state()
    worker._touch_health_file()
    assert (worker._drain.is_started, worker._drain.is_failure) == (fails, fails)
    assert health_file.exists() != fails
