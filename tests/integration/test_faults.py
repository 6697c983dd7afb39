"""Faults of workers, queues and storages, with real processes and moto's server.

Messages are processed at least once, and the results are those of one undisturbed run (`assert_as_undisturbed`). Settings and
`faulty_worker` shorten the timeouts of production.
"""

import signal
import time
from collections import Counter
from datetime import datetime

import pytest

from coinfarm.storage import open_storage
from tests.support.backfill_environment import BATCH_MESSAGES, CANDLES, MAX_RECEIVES, MODEL_BYTES, eventually
from tests.support.faulty_proxy import Fault, FaultyProxy, repeated

DAY_S = 86_400


@pytest.fixture
def proxy(resources):
    with FaultyProxy(resources.endpoint).listening() as proxy:
        yield proxy


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        pytest.param("in the engine", range(2), id="in the engine"),
        pytest.param("after a write", range(1, BATCH_MESSAGES), id="between two writes"),
        pytest.param("before the delete", range(BATCH_MESSAGES, BATCH_MESSAGES + 1), id="after the writes, before the delete"),
    ],
)
def test_killed_worker_loses_and_duplicates_nothing(backfill, moment, written):
    backfill.submit()
    with backfill.faulty_worker(KILL_AT=moment, VISIBILITY_TIMEOUT_S=2) as worker:
        assert worker.exit_code() == -signal.SIGKILL
    assert len(backfill.done) in written
    assert backfill.queue.depth().in_flight <= BATCH_MESSAGES
    backfill.finish()
    backfill.assert_as_undisturbed()


def test_duplicate_delivery_to_two_workers_duplicates_nothing(backfill, tmp_path):
    """Both workers have predicted the first shard before either writes it."""
    first, *rest = (backfill.message(shard) for shard in backfill.shards)
    backfill.queue.send([first, first, *rest, *rest])
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    with backfill.faulty_worker(MEET=meeting, BATCH_MESSAGES=1) as one, backfill.faulty_worker(MEET=meeting, BATCH_MESSAGES=1) as other:
        backfill.finish(one, other)
    assert [path.read_text() for path in meeting.iterdir()] == [str(backfill.shards[0])] * 2
    backfill.assert_as_undisturbed()


def test_invalid_messages_become_dead_letters_and_affect_no_others(backfill):
    shard = backfill.shards[0]
    open_storage(CANDLES).write("damaged/candles/symbol=DEMOBTC/interval=15m/date=2026-01-03.parquet", b"PAR1, truncated")
    invalid = [
        "not JSON",
        backfill.message(shard, interval="7 apples"),
        backfill.message(shard, candlesUri="s3://elsewhere"),
        backfill.message(shard, candlesUri=f"{CANDLES}/damaged", resultsUri=f"{backfill.run.storage.uri()}/damaged"),
    ]
    backfill.queue.send(invalid[:2])
    backfill.submit()
    backfill.queue.send(invalid[2:])
    backfill.finish(dead_letters=len(invalid))
    backfill.assert_as_undisturbed(dead_letters=invalid)


def test_message_that_kills_every_worker_is_the_only_dead_letter(backfill):
    killer = backfill.message(backfill.shards[0], date="2026-01-02")
    backfill.queue.send([killer])
    backfill.submit()
    for _ in range(MAX_RECEIVES):
        with backfill.faulty_worker(KILLER=f"{backfill.shards[0].symbol} 15m 2026-01-02", VISIBILITY_TIMEOUT_S=2) as worker:
            assert worker.exit_code() == -signal.SIGKILL
    backfill.finish(dead_letters=1)
    backfill.assert_as_undisturbed(dead_letters=[killer])


@pytest.mark.parametrize(
    ("fault", "requests"),
    [
        pytest.param(Fault.BUSY, {"GET models": 2, "GET candles": 6, "PUT results": 3}, id="503"),
        pytest.param(Fault.HANGS, {"GET candles": 2, "PUT results": 2}, id="no response"),
        pytest.param(Fault.CUT, {"GET models": 2, "GET candles": 6}, id="truncated bodies"),
        pytest.param(Fault.GARBLED, {"GET models": 2, "GET candles": 4}, id="a flipped bit"),
        pytest.param(Fault.RESET, {"GET candles": 3, "PUT results": 3}, id="reset connections"),
        pytest.param(Fault.RESPONSE_LOST, {"PUT results": 3}, id="a lost response to a write"),
    ],
)
def test_worker_survives_storage_faults(backfill, proxy, fault, requests):
    """The client's own retries are off, so that they hide nothing."""
    proxy.choose = repeated(fault, requests)
    backfill.submit()
    with backfill.faulty_worker(
        AWS_ENDPOINT_URL=proxy.url, AWS_MAX_ATTEMPTS=1, S3_TIMEOUT_S=1, FIRST_RETRY_S=1, FIRST_PAUSE_S=0.1
    ) as worker:  # fmt: skip
        backfill.finish(worker)
    injected = Counter(f"{request.method} {request.path.split('/')[1]}" for _, request in proxy.injected)
    assert injected == requests
    backfill.assert_as_undisturbed()


def test_worker_waits_for_an_unavailable_queue(backfill, proxy):
    """The queue is away for longer than the visibility timeout."""
    backfill.submit()
    backfill.queue.url = backfill.queue.url.replace(proxy.upstream, proxy.url.removeprefix("http://"))
    with backfill.faulty_worker(
        AWS_ENDPOINT_URL=proxy.url, AWS_MAX_ATTEMPTS=1, VISIBILITY_TIMEOUT_S=2, ENGINE_S=0.2, FIRST_PAUSE_S=0.1
    ) as worker:
        eventually(lambda: backfill.done)
        proxy.choose = lambda request: Fault.RESET if request.is_of_queue else None
        time.sleep(4)
        proxy.choose = lambda _: None
        assert proxy.injected
        backfill.finish(worker)
    assert "no messages could be received" in [entry.get("message") for entry in worker.entries()]
    backfill.assert_as_undisturbed()


def test_file_size_limit_ends_the_worker_and_loses_nothing(backfill, tmp_path):
    backfill.submit()
    assert_worker_fails(backfill, "ulimit -f", FILE_BYTES=MODEL_BYTES // 2, MODEL_CACHE_DIR=tmp_path / "cache")
    assert list(tmp_path.glob("cache/**/*.keras")) == [], "an incomplete download is removed"
    backfill.finish()
    backfill.assert_as_undisturbed()


def test_run_continues_after_a_damaged_model_is_repaired(backfill):
    storage = open_storage(backfill.model_uri)
    (key,) = (key for key in storage.list() if key.endswith(".bin"))
    original = storage.read(key).data
    storage.write(key, b"\xff" + original[1:])
    backfill.submit()
    assert_worker_fails(backfill, "is not the file that its manifest describes")
    storage.write(key, original)
    backfill.finish()
    backfill.assert_as_undisturbed()


def assert_worker_fails(backfill, reason, **settings):
    with backfill.faulty_worker(FIRST_RETRY_S=1, FIRST_PAUSE_S=0.1, **settings) as worker:
        assert worker.exit_code() == 1
    (logged_reason,) = (entry["reason"] for entry in worker.entries() if entry.get("message") == "every message fails")
    assert reason in logged_reason
    assert backfill.done == set()


@pytest.mark.parametrize("jump_s", [DAY_S, -DAY_S], ids=["a day ahead", "a day back"])
def test_clock_jump_changes_nothing(backfill, jump_s):
    backfill.submit()
    with backfill.faulty_worker(CLOCK_JUMP_S=jump_s, VISIBILITY_TIMEOUT_S=2) as worker:
        backfill.finish(worker)
    logged = [entry["timestamp"] for entry in worker.entries() if "timestamp" in entry]  # the others are metrics
    first, *_, last = (datetime.fromisoformat(timestamp.replace(",", ".")) for timestamp in logged)
    assert abs((last - first).total_seconds() - jump_s) < DAY_S / 2, "the clock jumped"
    backfill.assert_as_undisturbed()
