"""Shards to the queue: once each, on from where it was cut off, and again where a result is missing."""

import json
from datetime import date
from pathlib import Path

import pytest

from coinfarm.backfill.job_runner import run_jobs
from coinfarm.backfill.run_manifest import Run
from coinfarm.backfill.shard import Shard
from coinfarm.backfill.shard_job import ShardJob
from coinfarm.backfill.shard_result import ShardCounts, read_result
from coinfarm.backfill.status import StatusMonitor
from coinfarm.backfill.submission import read_submission, resend, submit
from coinfarm.candle_store.snapshot import CandleStoreSnapshot
from coinfarm.errors import Unavailable
from coinfarm.prediction.predictor import Predictor
from coinfarm.serving.request import ShardRequest, parse_message
from tests.support.backfill_runs import QueueInMemory, planned
from tests.support.candle_stores import store_history, stored, stored_with_partial_days, synthetic_history
from tests.support.pixel_engine import PixelEngine, loaded


@pytest.fixture
def predictor(tmp_path: Path) -> Predictor:
    return Predictor(loaded(tmp_path / "model", PixelEngine()), max_batch=100)


@pytest.fixture
def run(tmp_path: Path, predictor: Predictor) -> Run:
    """Twenty-five days of hours."""
    candles = stored(tmp_path / "store", synthetic_history(25, interval="1h"))
    return planned(tmp_path / "run", candles, interval="1h", days=25, version=predictor.model.version)


@pytest.fixture
def queue() -> QueueInMemory:
    return QueueInMemory()


def dates(queue: QueueInMemory) -> list[int]:
    """The days of January that were sent."""
    requests = [parse_message(body.encode()) for body in queue.bodies]
    assert all(isinstance(request, ShardRequest) for request in requests)
    return [request.date.day for request in requests]  # type: ignore[union-attr]


def work_off(run: Run, queue: QueueInMemory, predictor: Predictor, most: int = 100) -> None:
    """Do what the first messages of the queue ask for."""
    history = CandleStoreSnapshot(run.candles)
    version = run.manifest.model_version
    wanted = {json.loads(body)["date"] for body in queue.bodies[:most]}
    shards = [shard for shard in run.manifest.shards() if shard.day.isoformat() in wanted]
    run_jobs([(shard, ShardJob(shard, version, history, run.results)) for shard in shards], predictor, lambda shard, error: None)
    del queue.bodies[:most]


def test_each_shard_is_sent_once(run: Run, queue: QueueInMemory) -> None:
    assert submit(run, queue) == 25
    assert dates(queue) == list(range(1, 26))
    message = json.loads(queue.bodies[0])
    assert message == {
        "symbol": "DEMOUSD",
        "interval": "1h",
        "date": "2026-01-01",
        "stride": 1,
        "modelVersion": run.manifest.model_version,
        "candlesUri": run.candles.uri(),
        "resultsUri": run.results.uri(),
    }
    assert submit(run, queue) == 0, "nothing is left to send"
    assert len(queue.bodies) == 25


def test_cut_off_it_goes_on_where_it_was(run: Run) -> None:
    breaking = QueueInMemory(breaks_after=1, error=Unavailable("the queue cannot be reached"))
    with pytest.raises(Unavailable):
        submit(run, breaking)
    submission = read_submission(run)
    assert submission is not None
    assert submission.sent == 10
    again = QueueInMemory()
    told: list[tuple[int, int]] = []
    assert submit(run, again, lambda sent, total: told.append((sent, total))) == 15
    assert dates(breaking) + dates(again) == list(range(1, 26))
    assert told == [(10, 15), (15, 15)]


def test_shards_that_have_a_result_are_not_sent(run: Run, queue: QueueInMemory, predictor: Predictor) -> None:
    history, version = CandleStoreSnapshot(run.candles), run.manifest.model_version
    done = [shard for shard in run.manifest.shards() if shard.day in (date(2026, 1, 3), date(2026, 1, 25))]
    run_jobs([(shard, ShardJob(shard, version, history, run.results)) for shard in done], predictor, lambda shard, error: None)
    assert submit(run, queue) == 23
    assert dates(queue) == [1, 2, *range(4, 25)]
    submission = read_submission(run)
    assert submission is not None
    assert (submission.sent, submission.frames_done_before) == (25, 48)


def test_what_is_missing_is_sent_again(run: Run, queue: QueueInMemory, predictor: Predictor) -> None:
    submit(run, queue)
    work_off(run, queue, predictor, most=20)
    queue.bodies.clear()  # lost
    assert resend(run, queue) == 5
    assert dates(queue) == [21, 22, 23, 24, 25]


def test_the_status_tells_how_a_run_stands(run: Run, queue: QueueInMemory, predictor: Predictor) -> None:
    queue.dead = QueueInMemory()
    watch = StatusMonitor(run, queue, queue.dead)  # type: ignore[arg-type]
    before = watch.status()
    assert (before.shards, before.done, before.unsent, before.frames, before.usd) == (25, 0, None, 600, 0.0)
    assert (before.frames_per_s, before.seconds_left, before.lost) == (None, None, 0)

    submit(run, queue)
    work_off(run, queue, predictor, most=15)
    del queue.bodies[:4]
    queue.in_flight = 3
    queue.dead.bodies.append("poison")
    status = StatusMonitor(run, queue, queue.dead).status()  # type: ignore[arg-type]
    assert (status.done, status.waiting, status.in_flight, status.dead_lettered, status.unsent) == (15, 6, 3, 1, 0)
    assert (status.frames_done, status.frames) == (360, 600)
    assert status.lost == 0
    assert status.frames_per_s is not None
    assert status.frames_per_s > 0
    assert status.seconds_left == pytest.approx(240 / status.frames_per_s)
    assert status.usd == pytest.approx(run.manifest.estimate.target("lambda").usd * 0.6)  # type: ignore[operator]

    queue.in_flight, queue.bodies = 0, []
    idle = StatusMonitor(run, queue, queue.dead).status()  # type: ignore[arg-type]
    assert (idle.lost, idle.is_idle, idle.is_complete) == (9, True, False)


def test_the_status_of_a_finished_run_has_nothing_left(run: Run, queue: QueueInMemory, predictor: Predictor) -> None:
    submit(run, queue)
    work_off(run, queue, predictor)
    status = StatusMonitor(run, queue, None).status()  # type: ignore[arg-type]
    assert (status.is_complete, status.is_idle, status.frames_per_s, status.lost) == (True, False, None, 0)
    assert status.dead_lettered is None
    assert status.usd == status.usd_estimated


def test_the_status_says_why_shards_failed_that_have_no_result(run: Run, queue: QueueInMemory, predictor: Predictor) -> None:
    run.candles.write("candles/symbol=DEMOUSD/interval=1h/date=2026-01-20.parquet", b"no Parquet")
    submit(run, queue)
    work_off(run, queue, predictor)
    status = StatusMonitor(run, queue, None).status()  # type: ignore[arg-type]
    # a window of hours reaches back over nine days
    assert (status.done, status.failed, len(status.failures)) == (19, 6, 5)
    assert status.failures[0].shard == "DEMOUSD 1h 2026-01-20"
    assert "is not a Parquet file" in status.failures[0].reason


def test_results_that_were_there_before_cost_the_run_nothing(run: Run, queue: QueueInMemory, predictor: Predictor) -> None:
    history, version = CandleStoreSnapshot(run.candles), run.manifest.model_version
    first = next(iter(run.manifest.shards()))
    run_jobs([(first, ShardJob(first, version, history, run.results))], predictor, lambda shard, error: None)
    submit(run, queue)
    status = StatusMonitor(run, queue, None).status()  # type: ignore[arg-type]
    assert (status.done, status.usd, status.frames_per_s) == (1, 0.0, None)


def test_a_day_that_has_grown_since_it_was_predicted_is_found_where_one_looks_inside(
    tmp_path: Path, queue: QueueInMemory, predictor: Predictor
) -> None:
    store = stored_with_partial_days(tmp_path / "growing", synthetic_history(25, interval="1h")[:594])
    run = planned(tmp_path / "grown", store, interval="1h", days=25, version=predictor.model.version)
    submit(run, queue)
    work_off(run, queue, predictor)
    last = list(run.manifest.shards())[-1]
    assert _account(run, last).no_candles == 6

    store_history(store, synthetic_history(25, interval="1h"))
    assert resend(run, queue) == 0
    assert resend(run, queue, check_results=True) == 1
    assert dates(queue) == [25]
    work_off(run, queue, predictor)
    assert _account(run, last).no_candles == 0
    assert resend(run, queue, check_results=True) == 0


def test_a_damaged_result_is_found_where_one_looks_inside(run: Run, queue: QueueInMemory, predictor: Predictor) -> None:
    submit(run, queue)
    work_off(run, queue, predictor)
    damaged = list(run.manifest.shards())[6]
    run.results.write(damaged.key(run.manifest.model_version), b"PAR1, but not for long")
    assert resend(run, queue) == 0
    assert resend(run, queue, check_results=True) == 1
    assert dates(queue) == [7]


def _account(run: Run, shard: Shard) -> ShardCounts:
    result = read_result(shard, run.manifest.model_version, run.results)
    assert result is not None
    return result.counts
