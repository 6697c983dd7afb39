"""Send shards to a queue: once each, after an interruption, and again if a result is missing."""

import json
from datetime import date
from pathlib import Path

import pytest

from coinfarm.backfill.run_manifest import Run
from coinfarm.backfill.shard import Shard
from coinfarm.backfill.shard_result import ShardCounts, read_result
from coinfarm.backfill.submission import read_submission, resend, submit
from coinfarm.errors import Unavailable
from coinfarm.prediction.predictor import Predictor
from coinfarm.serving.request import ShardRequest, parse_message
from tests.support.backfill_runs import planned, process_queue, run_shards
from tests.support.candle_stores import store_history, stored_with_partial_days, synthetic_history
from tests.support.fake_queue import FakeQueue


def dates(queue: FakeQueue) -> list[int]:
    """The days of January that were sent."""
    requests = [parse_message(body.encode()) for body in queue.bodies]
    return [request.date.day for request in requests if isinstance(request, ShardRequest)]


def test_each_shard_is_sent_once(run: Run, queue: FakeQueue) -> None:
    assert submit(run, queue) == 25
    assert dates(queue) == list(range(1, 26))
    message = json.loads(queue.bodies[0])
    assert (message["modelVersion"], message["resultsUri"]) == (run.manifest.model_version, run.results.uri())
    assert submit(run, queue) == 0, "all shards were sent"
    assert len(queue.bodies) == 25


def test_interrupted_submission_continues(run: Run) -> None:
    failing = FakeQueue()
    failing.error = Unavailable("the queue cannot be reached")
    with pytest.raises(Unavailable):
        submit(run, failing)
    queue = FakeQueue()
    progress: list[tuple[int, int]] = []
    assert submit(run, queue, lambda sent, total: progress.append((sent, total))) == 15
    assert (dates(failing), dates(queue)) == (list(range(1, 11)), list(range(11, 26)))
    assert progress == [(10, 15), (15, 15)]


def test_shards_with_a_result_are_not_sent(run: Run, queue: FakeQueue, predictor: Predictor) -> None:
    done = [shard for shard in run.manifest.shards() if shard.day in (date(2026, 1, 3), date(2026, 1, 25))]
    run_shards(predictor, run.candles, run.results, done)
    assert submit(run, queue) == 23
    assert dates(queue) == [1, 2, *range(4, 25)]
    submission = read_submission(run)
    assert submission is not None
    assert (submission.sent, submission.windows_done_before) == (25, 48)


def test_missing_shards_are_sent_again(run: Run, queue: FakeQueue, predictor: Predictor) -> None:
    submit(run, queue)
    process_queue(run, queue, predictor, max_messages=20)
    queue.waiting.clear()  # lost
    assert resend(run, queue) == 5
    assert dates(queue) == [21, 22, 23, 24, 25]


def test_check_finds_a_day_that_has_grown(tmp_path: Path, queue: FakeQueue, predictor: Predictor) -> None:
    store = stored_with_partial_days(tmp_path / "growing", synthetic_history(10, interval="1h")[:-6])
    run = planned(tmp_path / "grown", store, interval="1h", days=10, version=predictor.model.version)
    submit(run, queue)
    process_queue(run, queue, predictor)
    last = list(run.manifest.shards())[-1]
    assert counts(run, last).no_candles == 6

    store_history(store, synthetic_history(10, interval="1h"))
    assert resend(run, queue) == 0
    assert resend(run, queue, check_results=True) == 1
    assert dates(queue) == [10]
    process_queue(run, queue, predictor)
    assert counts(run, last).no_candles == 0
    assert resend(run, queue, check_results=True) == 0


def counts(run: Run, shard: Shard) -> ShardCounts:
    result = read_result(shard, run.manifest.model_version, run.results)
    assert result is not None
    return result.counts
