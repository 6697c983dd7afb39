"""The child processes of a local run: each requests shards from its parent, and reports their outcome."""

import os
import signal
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import NamedTuple

from coinfarm.backfill.job_runner import run_jobs
from coinfarm.backfill.run_manifest import Run
from coinfarm.backfill.shard import Shard
from coinfarm.backfill.shard_job import ShardJob
from coinfarm.candle_store.snapshot import CandleStoreSnapshot
from coinfarm.engines.cores import CoreShare
from coinfarm.errors import CoinfarmError
from coinfarm.serving.service import Service
from coinfarm.serving.settings import Settings

_REPORT_EVERY_S = 0.3


class FinishedShard(NamedTuple):
    """The outcome of a shard: `error` is None if its result exists. `frames` is the total that its process has predicted so far."""

    shard: Shard
    error: str | None
    frames: int


def run_shard_process(root: str, share: CoreShare, parent: Connection) -> None:
    """The main function of a child process: it requests shards and reports their outcome. It ends with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal; the parent stops the children
    if share.cores is not None:
        os.sched_setaffinity(0, share.cores)
    try:
        _run_shards(Run.at(root), share.threads, parent)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except CoinfarmError as error:
        parent.send(str(error))
    except Exception as error:  # noqa: BLE001 - the parent reports it
        parent.send(f"a process failed with {error!r}")


def _run_shards(run: Run, threads: int | None, parent: Connection) -> None:
    version = run.manifest.model_version
    store = CandleStoreSnapshot(run.candles)
    last_report = time.monotonic()

    def report_frames() -> None:
        nonlocal last_report
        if time.monotonic() - last_report > _REPORT_EVERY_S:
            last_report = time.monotonic()
            parent.send(predictor.timings.frames)

    given = {} if threads is None else {"ENGINE_THREADS": str(threads)}
    settings = Settings.from_environment({**os.environ, "MODEL_URI": run.model_uri, **given})
    predictor = Service(settings).predictor(version, before_batch=report_frames, use_cache=False)

    def jobs() -> Iterator[tuple[Shard, ShardJob]]:
        while True:
            parent.send(None)
            shard = parent.recv()
            if shard is None:
                return
            yield shard, ShardJob(shard, version, store, run.results)

    def on_finished(shard: Shard, error: Exception | None) -> None:
        parent.send(FinishedShard(shard, None if error is None else str(error) or repr(error), predictor.timings.frames))

    run_jobs(jobs(), predictor, on_finished)
