"""The soak test of a backfill: workers are killed at random, and the results compared with those of an undisturbed run."""

import random
import time
from datetime import date, timedelta
from pathlib import Path

import boto3
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.reference import reference_bundle
from benchmarks.soak.backfill_operator import BackfillOperator, OnProgress
from benchmarks.soak.backfill_result import INVALID_MESSAGES, VISIBILITY_TIMEOUT_S, WORKERS, BackfillResult
from benchmarks.soak.killed_workers import KilledWorkers
from coinfarm.aws.sqs import Queue
from coinfarm.backfill.collect import collect
from coinfarm.backfill.run_manifest import KEY as MANIFEST_KEY
from coinfarm.backfill.run_manifest import Run
from coinfarm.backfill.submission import KEY as SUBMISSION_KEY
from coinfarm.demo.demo_result import batch_entries
from coinfarm.demo.environment import DemoEnvironment

SYMBOLS = ("DEMOBTC", "DEMOETH", "DEMOLTC", "DEMOXRP")
_STRIDE = 10
_FIRST_DAY = date(2024, 1, 1)
_LIFETIMES_PER_RUN = 10
"""A worker lives at most this fraction of an undisturbed run, on a machine of any speed."""


def soak_backfill(environment: DemoEnvironment, folder: Path, shards: int, seed: int, on_progress: OnProgress) -> BackfillResult:
    """Process `shards` shards, a multiple of `len(SYMBOLS)`, with the environment's queue and buckets. Logs and results go to `folder`."""
    backfill = _BackfillSoak(environment, folder, shards // len(SYMBOLS))
    backfill.prepare()
    undisturbed_s = backfill.run_undisturbed()
    return backfill.run_disturbed(seed, on_progress, undisturbed_s)


class _BackfillSoak:
    def __init__(self, environment: DemoEnvironment, folder: Path, days: int) -> None:
        outputs = environment.outputs
        self._environment = environment
        self._folder = folder
        self._days = days
        self._models = f"s3://{outputs['ModelBucketName']}/models/backfill"
        self._candles = f"s3://{outputs['CandleBucketName']}"
        self._bucket = outputs["ResultBucketName"]
        self._queue = Queue(outputs["QueueUrl"])
        dead_letters = self._queue.dead_letter_queue()
        assert dead_letters is not None  # the template configures one
        self._dead_letters = dead_letters
        self._undisturbed, self._disturbed = (Run.at(f"s3://{self._bucket}/{name}") for name in ("undisturbed", "disturbed"))

    def prepare(self) -> None:
        """Generate candles from one day before the first shard, so that no window lacks candles; publish the model; plan both runs."""
        # Versioning counts repeated writes. It is only enabled here, because the template's bucket does not have it.
        boto3.client("s3").put_bucket_versioning(Bucket=self._bucket, VersioningConfiguration={"Status": "Enabled"})
        first_stored = _FIRST_DAY - timedelta(1)
        for seed, symbol in enumerate(SYMBOLS, 1):
            candles = ("--symbol", symbol, "--from", first_stored.isoformat(), "--days", str(self._days + 1), "--seed", str(seed))
            self._command("history", "generate", *candles, "--store", self._candles)
        self._command("model", "publish", str(reference_bundle().folder), "--to", self._models, "--no-compile", "--promote")
        for run in (self._undisturbed, self._disturbed):
            symbols = [word for symbol in SYMBOLS for word in ("--symbol", symbol)]
            days = ("--from", _FIRST_DAY.isoformat(), "--to", (_FIRST_DAY + timedelta(self._days)).isoformat(), "--stride", str(_STRIDE))
            roots = ("--store", self._candles, "--model", self._models, "--run", run.storage.uri(), "--frames-per-s", "3000")
            self._command("backfill", "plan", *symbols, *days, *roots)

    def run_undisturbed(self) -> float:
        """The seconds of `coinfarm backfill run`, including its start."""
        started_s = time.monotonic()
        self._command("backfill", "run", "--run", self._undisturbed.storage.uri())
        return time.monotonic() - started_s

    def run_disturbed(self, seed: int, on_progress: OnProgress, undisturbed_s: float) -> BackfillResult:
        shards = len(list(self._disturbed.manifest.shards()))
        self._queue.send(INVALID_MESSAGES)
        self._command("backfill", "submit", "--run", self._disturbed.storage.uri(), "--queue", self._queue.url)
        workers = KilledWorkers(
            self._folder,
            ("--queue", self._queue.url, "--model", self._models),
            {
                "CANDLES_ROOT": self._candles,
                "RESULTS_ROOT": f"s3://{self._bucket}",
                "MODEL_CACHE_DIR": self._folder / "models",
                "VISIBILITY_TIMEOUT_S": VISIBILITY_TIMEOUT_S,
                "RECEIVE_WAIT_S": 1,
            },
            max_lifetime_s=max(1.0, undisturbed_s / _LIFETIMES_PER_RUN),
            max_kills=max(2 * WORKERS, shards // 20),
            rng=random.Random(seed),
        )
        started_s = time.monotonic()
        operator = BackfillOperator(self._command, self._disturbed, self._queue, self._dead_letters, workers, on_progress)
        with workers.started(WORKERS):
            seconds = operator.wait_until_done(started_s)
            left = operator.wait_until_empty(started_s)
            exit_codes = workers.stop()
        return self._result(workers, operator, seconds, undisturbed_s, exit_codes, left)

    def _result(
        self,
        workers: KilledWorkers,
        operator: BackfillOperator,
        seconds: float,
        undisturbed_s: float,
        exit_codes: list[int],
        left_in_queue: int,
    ) -> BackfillResult:
        run, version = self._disturbed, self._disturbed.manifest.model_version
        shards = list(run.manifest.shards())
        keys = {shard.key(version) for shard in shards}
        notes = {shard.failure_key(version) for shard in shards}
        stored = set(run.results.list())
        differing = [key for key in sorted(keys & stored) if run.results.read(key).data != self._undisturbed.results.read(key).data]
        path = self._folder / "all.parquet"
        outcomes = collect(run, path)
        windows = pq.read_table(path, columns=["symbol", "open_time"]).group_by(["symbol", "open_time"]).aggregate([([], "count_all")])
        etags = self._etags_by_key()
        return BackfillResult(
            shards=len(shards),
            seconds=seconds,
            undisturbed_s=undisturbed_s,
            kills=workers.kills,
            max_lifetime_s=workers.max_lifetime_s,
            unexpected_exits=workers.unexpected_exits,
            exit_codes=exit_codes,
            counts=outcomes.total,
            rows=pc.sum(windows["count_all"]).as_py() or 0,
            max_rows_per_window=pc.max(windows["count_all"]).as_py() or 0,
            missing=len(outcomes.missing),
            differing=differing,
            unexpected_keys=sorted(stored - keys - notes - {MANIFEST_KEY, SUBMISSION_KEY}),
            failure_notes=len(stored & notes),
            rewritten=sum(len(each) > 1 for each in etags.values()),
            rewritten_differently=sum(len(set(each)) > 1 for each in etags.values()),
            redelivered=sum(entry["redelivered"] for log in workers.logs() for entry in batch_entries(log)),
            valid_dead_letters=operator.valid_dead_letters,
            redrives=operator.redrives,
            lost=operator.lost,
            left_in_queue=left_in_queue,
            dead_letters=self._dead_letter_bodies(),
        )

    def _etags_by_key(self) -> dict[str, list[str]]:
        """The ETag of every version of every result."""
        etags: dict[str, list[str]] = {}
        pages = boto3.client("s3").get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix="disturbed/predictions/")
        for page in pages:
            for version in page.get("Versions", []):
                etags.setdefault(version["Key"], []).append(version["ETag"])
        return etags

    def _dead_letter_bodies(self) -> list[str]:
        bodies: list[str] = []
        while messages := self._dead_letters.receive(visibility_timeout_s=600):
            bodies += [message.body for message in messages]
        return bodies

    def _command(self, *arguments: str) -> None:
        """Run a `coinfarm` command, and discard its output."""
        for _ in self._environment.output_lines(*arguments):
            pass
