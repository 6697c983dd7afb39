"""What befalls workers, queues and storages, each with real processes over moto's server; what comes of it is always the same.

Work is done at least once, and its results are as if it had been done once: `Farm.assert_as_undisturbed` says what that means. Times are
shortened by settings and by `faulty_worker`, where production is more patient.
"""

import signal
import subprocess
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import pytest
from moto.server import ThreadedMotoServer

from coinfarm.storage import open_storage
from coinfarm.storage import s3 as storage_s3
from tests.support.backfill_environment import BATCH_MESSAGES, CANDLES, MAX_RECEIVES, MODEL_BYTES, Farm, Land, eventually
from tests.support.faulty_proxy import Fault, FaultyProxy, Request

DAY_S = 86_400


@pytest.fixture(scope="module")
def land(tmp_path_factory):
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", endpoint)
        storage_s3._client.cache_clear()
        yield Land.cultivated(endpoint, tmp_path_factory.mktemp("land"))
    storage_s3._client.cache_clear()
    server.stop()


@pytest.fixture
def farm(land, tmp_path):
    return Farm(land, tmp_path)


@pytest.fixture
def proxy(land):
    with FaultyProxy(land.endpoint).listening() as proxy:
        yield proxy


def test_without_a_fault_a_worker_does_what_an_undisturbed_run_does(farm):
    farm.submit()
    farm.finish()
    farm.assert_as_undisturbed()


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        pytest.param("after receive", range(1), id="after receive"),
        pytest.param("in the engine", range(2), id="in the engine"),
        pytest.param("after predict", range(2), id="after predict, before the write"),
        pytest.param("after a write", range(1, BATCH_MESSAGES), id="between two writes"),
        pytest.param("before the delete", range(BATCH_MESSAGES, BATCH_MESSAGES + 1), id="after the writes, before the delete"),
    ],
)
def test_a_killed_worker_loses_and_doubles_nothing(farm, moment, written):
    farm.submit()
    with farm.faulty_worker(KILL_AT=moment, VISIBILITY_TIMEOUT_S=2) as worker:
        assert worker.exit_code() == -signal.SIGKILL
    assert len(farm.done) in written
    assert farm.queue.depth().in_flight <= BATCH_MESSAGES
    farm.finish()
    farm.assert_as_undisturbed()


def test_a_message_delivered_twice_and_to_two_workers_at_once_doubles_nothing(farm, tmp_path):
    """Both have predicted the first shard before either writes it."""
    first, *rest = (farm.message(shard) for shard in farm.shards)
    farm.queue.send([first, first, *rest, *rest])
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    with farm.faulty_worker(MEET=meeting, BATCH_MESSAGES=1) as one, farm.faulty_worker(MEET=meeting, BATCH_MESSAGES=1) as other:
        farm.finish(one, other)
    assert [path.read_text() for path in meeting.iterdir()] == [str(farm.shards[0])] * 2
    farm.assert_as_undisturbed()


def test_a_poison_message_rests_in_the_dead_letter_queue_and_harms_no_neighbour(farm):
    shard = farm.shards[0]
    open_storage(CANDLES).write("damaged/candles/symbol=DEMOBTC/interval=15m/date=2026-01-03.parquet", b"PAR1, but not for long")
    poison = [
        "not JSON",
        farm.message(shard, interval="7 apples"),
        farm.message(shard, candlesUri="s3://elsewhere"),
        farm.message(shard, candlesUri=f"{CANDLES}/damaged", resultsUri=f"{farm.run.storage.uri()}/damaged"),
    ]
    farm.queue.send(poison[:2])
    farm.submit()
    farm.queue.send(poison[2:])
    farm.finish(dead_letters=len(poison))
    farm.assert_as_undisturbed(dead_letters=poison)


def test_a_message_that_kills_its_worker_each_time_takes_no_neighbour_along_to_the_dead_letters(farm):
    killer = farm.message(farm.shards[0], date="2026-01-02")
    farm.queue.send([killer])
    farm.submit()
    for _ in range(MAX_RECEIVES):
        with farm.faulty_worker(KILLER=f"{farm.shards[0].symbol} 15m 2026-01-02", VISIBILITY_TIMEOUT_S=2) as worker:
            assert worker.exit_code() == -signal.SIGKILL
    farm.finish(dead_letters=1)
    farm.assert_as_undisturbed(dead_letters=[killer])


@dataclass(frozen=True)
class Trouble:
    """What happens to the first `times` requests of a kind for a bucket's objects."""

    fault: Fault
    method: str
    bucket: str
    times: int

    def befalls(self, request: Request) -> bool:
        return request.method == self.method and request.path.startswith(f"/{self.bucket}/")


def in_trouble(troubles):
    """Chooses faults, until each has happened as often as it shall."""
    left = Counter({trouble: trouble.times for trouble in troubles})

    def choose(request):
        for trouble in left:
            if left[trouble] and trouble.befalls(request):
                left[trouble] -= 1
                return trouble.fault
        return None

    return choose


@pytest.mark.parametrize(
    "troubles",
    [
        pytest.param(
            [Trouble(Fault.BUSY, "GET", "models", 2), Trouble(Fault.BUSY, "GET", "candles", 6), Trouble(Fault.BUSY, "PUT", "results", 3)],
            id="it answers 503",
        ),
        pytest.param([Trouble(Fault.HANGS, "GET", "candles", 2), Trouble(Fault.HANGS, "PUT", "results", 2)], id="it never answers"),
        pytest.param([Trouble(Fault.CUT, "GET", "models", 2), Trouble(Fault.CUT, "GET", "candles", 6)], id="it cuts bodies short"),
        pytest.param([Trouble(Fault.GARBLED, "GET", "models", 2), Trouble(Fault.GARBLED, "GET", "candles", 4)], id="it gets a bit wrong"),
        pytest.param([Trouble(Fault.RESET, "GET", "candles", 3), Trouble(Fault.RESET, "PUT", "results", 3)], id="it resets connections"),
        pytest.param([Trouble(Fault.ANSWER_LOST, "PUT", "results", 3)], id="it writes a result, and nobody hears of it"),
    ],
)
def test_what_the_storage_does_is_survived(farm, proxy, troubles):
    """Each request is made once, so that the client's own retries hide nothing."""
    proxy.choose = in_trouble(troubles)
    farm.submit()
    with farm.faulty_worker(
        AWS_ENDPOINT_URL=proxy.url, AWS_MAX_ATTEMPTS=1, S3_TIMEOUT_S=1, FIRST_RETRY_S=1, FIRST_PAUSE_S=0.1
    ) as worker:  # fmt: skip
        farm.finish(worker)
    happened = Counter((fault, request.method, request.path.split("/")[1]) for fault, request in proxy.happened)
    assert happened == {(trouble.fault, trouble.method, trouble.bucket): trouble.times for trouble in troubles}
    farm.assert_as_undisturbed()


def test_a_queue_that_is_away_for_a_while_is_waited_for(farm, proxy):
    """For longer than messages are hidden: four seconds stand for a minute, two for two minutes."""
    farm.submit()
    farm.queue.url = farm.queue.url.replace(proxy.upstream, proxy.url.removeprefix("http://"))
    with farm.faulty_worker(
        AWS_ENDPOINT_URL=proxy.url, AWS_MAX_ATTEMPTS=1, VISIBILITY_TIMEOUT_S=2, ENGINE_S=0.2, FIRST_PAUSE_S=0.1
    ) as worker:
        eventually(lambda: farm.done)
        proxy.choose = lambda request: Fault.RESET if request.is_of_queue else None
        time.sleep(4)
        proxy.choose = lambda _: None
        assert proxy.happened
        farm.finish(worker)
    assert "no messages could be received" in [entry.get("message") for entry in worker.entries()]
    farm.assert_as_undisturbed()


@contextmanager
def tmpfs(folder, size):
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small disk can be had here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.root
def test_a_full_disk_under_the_cache_ends_the_worker_and_loses_nothing(farm, tmp_path):
    farm.submit()
    with tmpfs(tmp_path / "small", MODEL_BYTES // 2) as cache:
        assert_ends_sick(farm, "disk is full", MODEL_CACHE_DIR=cache)
        assert list(cache.rglob("*.keras")) == [], "it leaves room for the next"
    farm.finish()
    farm.assert_as_undisturbed()


def test_a_model_file_that_may_not_be_written_ends_the_worker_and_loses_nothing(farm):
    farm.submit()
    assert_ends_sick(farm, "ulimit -f", FILE_BYTES=MODEL_BYTES // 2)
    farm.finish()
    farm.assert_as_undisturbed()


def test_a_damaged_model_is_refused_and_the_run_goes_on_once_it_is_repaired(farm):
    storage = open_storage(farm.model_uri)
    (key,) = (key for key in storage.list() if key.endswith(".bin"))
    whole = storage.read(key).data
    storage.write(key, b"\xff" + whole[1:])
    farm.submit()
    assert_ends_sick(farm, "is not the file that its manifest describes")
    storage.write(key, whole)
    farm.finish()
    farm.assert_as_undisturbed()


def assert_ends_sick(farm, reason, **settings):
    with farm.faulty_worker(FIRST_RETRY_S=1, FIRST_PAUSE_S=0.1, **settings) as worker:
        assert worker.exit_code() == 1
    (why,) = (entry["reason"] for entry in worker.entries() if entry.get("message") == "worker fails at every message")
    assert reason in why
    assert farm.done == set()


def test_sigterm_with_work_in_hand_gives_it_back(farm):
    farm.submit()
    with farm.faulty_worker(ENGINE_S=0.3, DRAIN_S=0, VISIBILITY_TIMEOUT_S=600) as worker:
        eventually(lambda: farm.done)
        worker.process.terminate()
        assert worker.exit_code() == 0
    assert len(farm.done) < len(farm.shards)
    farm.finish()
    farm.assert_as_undisturbed()


@pytest.mark.parametrize("jump_s", [DAY_S, -DAY_S], ids=["a day ahead", "a day back"])
def test_a_clock_that_jumps_changes_nothing(farm, jump_s):
    farm.submit()
    with farm.faulty_worker(CLOCK_JUMP_S=jump_s, VISIBILITY_TIMEOUT_S=2) as worker:
        farm.finish(worker)
    logged = [entry["timestamp"] for entry in worker.entries() if "timestamp" in entry]  # the others are metrics
    first, *_, last = (datetime.fromisoformat(timestamp.replace(",", ".")) for timestamp in logged)
    assert abs((last - first).total_seconds() - jump_s) < DAY_S / 2, "it did jump"
    farm.assert_as_undisturbed()
