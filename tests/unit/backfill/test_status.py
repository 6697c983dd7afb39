"""The status of a run."""

import pytest

from coinfarm.backfill.run_manifest import Run
from coinfarm.backfill.status import Status, StatusMonitor
from coinfarm.backfill.submission import submit
from coinfarm.prediction.predictor import Predictor
from tests.support.backfill_runs import process_queue, run_shards
from tests.support.fake_queue import FakeQueue, received


def status_of(run: Run, queue: FakeQueue) -> Status:
    return StatusMonitor(run, queue, queue.dead).status()  # type: ignore[arg-type]


def test_status_before_the_submission(run: Run, queue: FakeQueue) -> None:
    status = status_of(run, queue)
    assert (status.shards, status.done, status.unsent, status.windows, status.usd) == (25, 0, None, 600, 0.0)
    assert (status.windows_per_s, status.seconds_left, status.lost) == (None, None, 0)


def test_status_of_a_run_in_progress(run: Run, queue: FakeQueue, predictor: Predictor) -> None:
    queue.dead = FakeQueue()
    submit(run, queue)
    process_queue(run, queue, predictor, max_messages=15)
    del queue.waiting[:4]
    queue.in_flight = 3
    queue.dead.waiting.append(received("invalid"))
    status = status_of(run, queue)
    assert (status.done, status.waiting, status.in_flight, status.dead_lettered, status.unsent) == (15, 6, 3, 1, 0)
    assert (status.windows_done, status.windows, status.lost) == (360, 600, 0)
    assert status.windows_per_s is not None
    assert status.windows_per_s > 0
    assert status.seconds_left == pytest.approx(240 / status.windows_per_s)
    assert status.usd == pytest.approx(run.manifest.estimate.target("lambda").usd * 0.6)  # type: ignore[operator]

    queue.in_flight, queue.waiting = 0, []
    idle = status_of(run, queue)
    assert (idle.lost, idle.is_idle, idle.is_complete) == (9, True, False)


def test_status_of_a_finished_run(run: Run, queue: FakeQueue, predictor: Predictor) -> None:
    submit(run, queue)
    process_queue(run, queue, predictor)
    status = status_of(run, queue)
    assert (status.is_complete, status.is_idle, status.windows_per_s, status.lost) == (True, False, None, 0)
    assert status.dead_lettered is None
    assert status.usd == status.usd_estimated


def test_status_has_the_reasons_of_failures(run: Run, queue: FakeQueue, predictor: Predictor) -> None:
    run.candles.write("candles/symbol=DEMOUSD/interval=1h/date=2026-01-20.parquet", b"not Parquet")
    submit(run, queue)
    process_queue(run, queue, predictor)
    status = status_of(run, queue)
    # a window of hours reaches back more than eight days
    assert (status.done, status.failed, len(status.failures)) == (19, 6, 5)
    assert status.failures[0].shard == "DEMOUSD 1h 2026-01-20"
    assert "date=2026-01-20.parquet" in status.failures[0].reason


def test_earlier_results_cost_the_run_nothing(run: Run, queue: FakeQueue, predictor: Predictor) -> None:
    run_shards(predictor, run.candles, run.results, list(run.manifest.shards())[:1])
    submit(run, queue)
    status = status_of(run, queue)
    assert (status.done, status.usd, status.windows_per_s) == (1, 0.0, None)
