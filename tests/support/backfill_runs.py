"""Runs with synthetic candles."""

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from coinfarm.backfill.estimate import ComputeLimits, Speed
from coinfarm.backfill.job_runner import run_jobs
from coinfarm.backfill.plan import BackfillSpec, plan_run
from coinfarm.backfill.run_manifest import Run
from coinfarm.backfill.shard import Shard
from coinfarm.backfill.shard_job import ShardJob
from coinfarm.candle_store.snapshot import CandleStoreSnapshot
from coinfarm.prediction.predictor import Predictor
from coinfarm.storage import Storage, open_storage
from tests.support.candle_stores import FIRST_DAY
from tests.support.fake_queue import FakeQueue

SPEED = Speed(windows_per_s=2_000.0, cores=2, source="test")


def planned(
    root: Path | str,
    candles: Storage,
    *,
    symbols: tuple[str, ...] = ("DEMOUSD",),
    interval: str = "1m",
    days: int = 3,
    stride: int = 1,
    version: str = "20260101-0a1b2c3d",
    model_uri: str | None = None,
    first_day: date = FIRST_DAY,
    shard_days: int | None = 1,
) -> Run:
    """A run of `days` days from 2026 on, with its results next to its manifest.

    By default a shard is one day, as version 0.1 planned it: candles of an hour then make many small shards. None plans as today.
    """
    run = Run(open_storage(str(root)))
    stop_day = date.fromordinal(first_day.toordinal() + days)
    spec = BackfillSpec(symbols, interval, first_day, stop_day, stride, model_uri, version, candles, run.storage)
    manifest = plan_run(spec, SPEED, ComputeLimits(), "lambda")
    run.write(manifest if shard_days is None else manifest.model_copy(update={"shard_days": shard_days}))
    return run


def run_shards(predictor: Predictor, candles: Storage, results: Storage, shards: Iterable[Shard]) -> dict[Shard, Exception | None]:
    """Process the shards, and return the error of each, or None if its result is written."""
    outcomes: dict[Shard, Exception | None] = {}
    store = CandleStoreSnapshot(candles)
    jobs = [(shard, ShardJob(shard, predictor.model.version, store, results)) for shard in shards]
    run_jobs(jobs, predictor, lambda shard, error: outcomes.update({shard: error}))
    return outcomes


def process_queue(run: Run, queue: FakeQueue, predictor: Predictor, max_messages: int = 100) -> None:
    """Process the first messages of the queue, and delete them."""
    dates = {json.loads(body)["date"] for body in queue.bodies[:max_messages]}
    run_shards(predictor, run.candles, run.results, [shard for shard in run.manifest.shards() if shard.day.isoformat() in dates])
    del queue.waiting[:max_messages]
