"""A backfill for tests of faults: a run on moto's server, its queue, real workers, and the results of an undisturbed run."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pyarrow.compute as pc
import pyarrow.parquet as pq

from coinfarm.backfill.collect import collect
from coinfarm.backfill.run_manifest import Run
from coinfarm.backfill.run_results import done_shards
from coinfarm.backfill.shard import Shard
from coinfarm.backfill.submission import message, submit
from coinfarm.compilation.forms import F32
from coinfarm.models.bundle import Bundle
from coinfarm.models.promotion import promote
from coinfarm.models.publish import publish
from coinfarm.serving.service import Service
from coinfarm.serving.settings import Settings
from coinfarm.storage import open_storage
from tests.support.backfill_runs import planned, run_shards
from tests.support.candle_stores import store_history, synthetic_history
from tests.support.compiled_models import compiled_bundle
from tests.support.moto_server import queue_with_dead_letter_queue
from tests.support.repository import ROOT

TIMEOUT_S = 180
BATCH_MESSAGES = 4
MODEL_BYTES = 300_000
MAX_RECEIVES = 5
CANDLES, MODELS, RESULTS = "s3://candles", "s3://models", "s3://results"
_SYMBOLS = ("DEMOBTC", "DEMOETH")
_FIRST_DAY, _DAYS = date(2026, 1, 3), 4  # fewer than 200 candles are stored before the third
_PRODUCTION = ["-c", "from coinfarm.cli import main; main(prog_name='coinfarm')", "worker"]
_FAULTY = ["-m", "tests.integration.faulty_worker"]


@dataclass(frozen=True)
class SharedResources:
    """Resources that all backfills share: candles and a model in buckets, and the result of each shard in an undisturbed run."""

    endpoint: str
    bundle: Bundle
    undisturbed: dict[Shard, bytes]

    @classmethod
    def create(cls, endpoint: str, folder: Path) -> "SharedResources":
        for bucket in ("candles", "models", "results"):
            boto3.client("s3").create_bucket(Bucket=bucket)
        histories = [synthetic_history(6, symbol=symbol, interval="15m", seed=seed) for seed, symbol in enumerate(_SYMBOLS)]
        store_history(open_storage(CANDLES), *histories)
        bundle = compiled_bundle(folder / "bundle", F32, content="1.0".ljust(MODEL_BYTES))
        run = _planned(_published(bundle), bundle.manifest.version)
        service = Service(Settings(model_uri=run.model_uri, model_cache_dir=folder / "cache"))
        predictor = service.predictor(run.manifest.model_version)
        assert set(run_shards(predictor, run.candles, run.results, run.manifest.shards()).values()) == {None}
        undisturbed = {shard: run.results.read(shard.key(run.manifest.model_version)).data for shard in run.manifest.shards()}
        return cls(endpoint, bundle, undisturbed)


class QueuedBackfill:
    """A run with its own queue, whose messages become dead letters after `max_receives` receives."""

    def __init__(self, resources: SharedResources, folder: Path, max_receives: int = MAX_RECEIVES) -> None:
        self._resources = resources
        self._folder = folder
        self.model_uri = _published(resources.bundle)
        self.run = _planned(self.model_uri, resources.bundle.manifest.version)
        self.queue = queue_with_dead_letter_queue(max_receives)

    @property
    def shards(self) -> list[Shard]:
        return list(self.run.manifest.shards())

    @property
    def done(self) -> set[Shard]:
        return done_shards(self.run)

    def submit(self) -> None:
        submit(self.run, self.queue)

    def message(self, shard: Shard, **changes: str) -> str:
        return json.dumps(json.loads(message(self.run.manifest, shard)) | changes)

    def faulty_worker(self, **settings: object) -> Any:
        """A worker with one thread and injected faults."""
        return self._worker(_FAULTY, {"WORKER_THREADS": 1, **settings})

    def worker(self) -> Any:
        """`coinfarm worker` without faults."""
        return self._worker(_PRODUCTION, {})

    def finish(self, *workers: "Worker", dead_letters: int = 0) -> None:
        """Wait until the workers, or a new one, have processed all shards and the queue is empty; then stop them."""
        if not workers:
            with self.worker() as worker:
                self.finish(worker, dead_letters=dead_letters)
            return
        dead = self.queue.dead_letter_queue()
        assert dead is not None

        def is_finished() -> bool:
            assert all(worker.process.poll() is None for worker in workers), "a worker has ended"
            is_complete = len(self.done) == len(self.shards)
            return is_complete and self.queue.depth().total == 0 and dead.depth().total >= dead_letters

        eventually(is_finished)
        for worker in workers:
            worker.process.terminate()
        assert [worker.exit_code() for worker in workers] == [0] * len(workers)

    def assert_as_undisturbed(self, *, dead_letters: Collection[str] = ()) -> None:
        """Every result is identical to that of an undisturbed run, and nothing is duplicated or left in the queues."""
        results, version = self.run.results, self.run.manifest.model_version
        expected = {shard.key(version): self._resources.undisturbed[shard] for shard in self.shards}
        found = {key: results.read(key).data for key in results.list("predictions/")}
        assert found.keys() == expected.keys()
        assert [key for key in expected if found[key] != expected[key]] == []
        outcomes = collect(self.run, self._folder / "all.parquet")
        assert outcomes.total.is_consistent
        assert outcomes.missing == []
        rows = pq.read_table(self._folder / "all.parquet", columns=["symbol", "open_time"])
        assert len(rows) == outcomes.total.predicted > 0
        assert pc.max(rows.group_by(["symbol", "open_time"]).aggregate([([], "count_all")])["count_all"]).as_py() == 1
        assert self.queue.depth().total == 0
        dead = self.queue.dead_letter_queue()
        assert dead is not None
        assert sorted(message.body for message in dead.receive()) == sorted(dead_letters)

    @contextmanager
    def _worker(self, command: list[str], settings: dict[str, object]) -> Iterator["Worker"]:
        log = self._folder / f"{uuid4()}.log"
        environment = os.environ | {
            "QUEUE_URL": self.queue.url,
            "MODEL_URI": self.model_uri,
            "MODEL_CACHE_DIR": str(self._folder / "models"),
            "CANDLES_ROOT": CANDLES,
            "RESULTS_ROOT": RESULTS,
            "HEALTH_FILE": str(self._folder / f"{uuid4()}.health"),
            "RECEIVE_WAIT_S": "1",
            "BATCH_MESSAGES": str(BATCH_MESSAGES),
            **{name: str(value) for name, value in settings.items()},
        }
        with log.open("w") as output:
            process = subprocess.Popen([sys.executable, *command], env=environment, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield Worker(process, log)
        finally:
            process.kill()
            process.wait()
            sys.stdout.write(log.read_text())


@dataclass(frozen=True)
class Worker:
    """The process of a worker, and its log."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def exit_code(self) -> int:
        return self.process.wait(TIMEOUT_S)

    def entries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]


def eventually(condition: Callable[[], Any]) -> Any:
    """Wait until the condition is true, and return its value."""
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("timeout")


def _published(bundle: Bundle) -> str:
    uri = f"{MODELS}/{uuid4()}"
    promote(open_storage(uri), publish(open_storage(uri), bundle))
    return uri


def _planned(model_uri: str, version: str) -> Run:
    return planned(
        f"{RESULTS}/{uuid4()}",
        open_storage(CANDLES),
        symbols=_SYMBOLS,
        interval="15m",
        first_day=_FIRST_DAY,
        days=_DAYS,
        version=version,
        model_uri=model_uri,
    )
