"""How the worker's process ends, and what becomes of its messages, with moto's server. Faults are tested in test_faults.py."""

import signal

import pytest

from coinfarm.aws.sqs import Depth
from tests.support.backfill_environment import eventually

SLOW = {"ENGINE_S": 0.03, "MAX_BATCH": 1, "BATCH_MESSAGES": 1}
"""A shard takes at least 3 seconds."""


@pytest.fixture
def messages(backfill):
    """Two messages in the queue, of which a slow worker processes the first for seconds."""
    backfill.queue.send([backfill.message(shard) for shard in backfill.shards[:2]])
    return 2


def test_sigterm_returns_unfinished_messages(backfill, messages):
    with backfill.faulty_worker(**SLOW, DRAIN_S=0.5, VISIBILITY_TIMEOUT_S=600) as worker:
        eventually(lambda: backfill.queue.depth().in_flight)
        worker.process.terminate()
        assert worker.exit_code() == 0
    assert backfill.done == set()
    assert backfill.queue.depth() == Depth(visible=messages, in_flight=0, delayed=0)


def test_sigint_finishes_messages_in_flight(backfill, messages):
    with backfill.faulty_worker(**SLOW) as worker:
        eventually(lambda: backfill.queue.depth().in_flight)
        worker.process.send_signal(signal.SIGINT)
        assert worker.exit_code() == 130
    assert len(backfill.done) == 1
    assert backfill.queue.depth() == Depth(visible=messages - 1, in_flight=0, delayed=0)


def test_spot_interruption_notice_ends_the_worker(backfill, messages, metadata):
    instance_settings = {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.url, "NOTICE_POLL_S": 0.1}
    with backfill.faulty_worker(**SLOW, DRAIN_S=0, **instance_settings) as worker:
        eventually(lambda: backfill.queue.depth().in_flight)
        metadata.values["spot/instance-action"] = '{"action": "terminate", "time": "2026-11-22T21:00:00Z"}'
        assert worker.exit_code() == 0
    assert any("2026-11-22T21:00:00Z" in str(line.get("reason")) for line in worker.entries())
    assert backfill.queue.depth() == Depth(visible=messages, in_flight=0, delayed=0)


def test_long_message_stays_invisible_and_an_idle_worker_exits(backfill):
    """Processing takes longer than the visibility timeout."""
    backfill.queue.send([backfill.message(backfill.shards[0])])
    with backfill.faulty_worker(**SLOW, VISIBILITY_TIMEOUT_S=2, IDLE_EXIT_S=0.5) as worker:
        eventually(lambda: backfill.queue.depth().in_flight)
        while not backfill.done:
            assert backfill.queue.receive() == [], "the message became visible"
        assert worker.exit_code() == 0
    assert backfill.queue.depth().total == 0


def test_missing_queue_ends_the_worker_with_a_message(backfill):
    with backfill.faulty_worker(QUEUE_URL=backfill.queue.url + "-gone") as worker:
        assert worker.exit_code() == 1
        assert f"{backfill.queue.url}-gone" in worker.log.read_text()
