"""The demonstration, from an empty stage to the outcome, by the commands that a user would call."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from coinfarm.demo.environment import DemoEnvironment, Worker
from coinfarm.demo.outcome import Look, Outcome, share_of
from coinfarm.errors import CoinfarmError
from coinfarm.serving.settings import reference_model_uri
from coinfarm.storage.local_file import write_file

COINS = ("DEMOBTC", "DEMOETH", "DEMOLTC", "DEMOXRP", "DEMOADA", "DEMOSOL", "DEMODOT", "DEMOXMR")
"""No more: it is a demonstration."""
FIRST_DAY = date(2026, 1, 1)
_LOOK_EVERY_S = 0.5
_PREDICTIONS, _COVERAGE = "predictions.parquet", "coverage.json"

Say = Callable[[str], None]
Show = Callable[[dict[str, Any]], None]
"""Told of each look at the run, as `coinfarm backfill status --json` has it."""


@dataclass(frozen=True)
class Play:
    """How large, and where its things are left."""

    symbols: int
    days: int
    workers: int
    template: Path
    folder: Path


def perform(play: Play, say: Say, shown: AbstractContextManager[Show]) -> Outcome:
    """Do it all, and leave predictions, coverage and the workers' logs in `play.folder`. `say` is told each command as it is called.

    Raises `CoinfarmError` where a step fails. Whatever ends it, no process is left.
    """
    play.folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="coinfarm-demo-") as cache, DemoEnvironment(play.template, play.folder) as stage:
        return _Performance(play, stage, Path(cache), say).perform(shown)


class _Performance:
    def __init__(self, play: Play, stage: DemoEnvironment, cache: Path, say: Say) -> None:
        self._play = play
        self._stage = stage
        self._cache = cache
        self._commands: list[str] = []
        self._say = say
        self._model = _reference_bundle()
        outputs = stage.outputs
        self._names = {
            "QUEUE_URL": outputs["QueueUrl"],
            "MODELS": f"s3://{outputs['ModelBucketName']}",
            "CANDLES": f"s3://{outputs['CandleBucketName']}",
            "RESULTS": f"s3://{outputs['ResultBucketName']}",
        }

    def perform(self, shown: AbstractContextManager[Show]) -> Outcome:
        for name, value in self._stage.settings.items():
            self._say(f"export {name}={value}")
        for name, value in self._names.items():
            self._say(f"{name}={value}")
        self._prepare()
        self._run("backfill", "plan", *self._wish())
        workers = [self._start_worker() for _ in range(self._play.workers)]
        started = time.monotonic()
        self._run("backfill", "submit", "--run", self._root, "--queue", "$QUEUE_URL")
        looks, status = self._watch(workers, started, shown)
        for worker in workers:
            worker.end()
        return self._collected(status, tuple(looks), workers)

    @property
    def _root(self) -> str:
        return "$RESULTS/runs/demo"

    @property
    def _coins(self) -> tuple[str, ...]:
        return COINS[: self._play.symbols]

    def _prepare(self) -> None:
        for seed, coin in enumerate(self._coins, 1):
            made = ("--symbol", coin, "--from", FIRST_DAY.isoformat(), "--days", str(self._play.days), "--seed", str(seed))
            self._run("history", "generate", *made, "--store", "$CANDLES")
        self._run("model", "publish", str(self._model), "--to", "$MODELS/models/reference", "--no-compile", "--promote")

    def _wish(self) -> list[str]:
        stop = FIRST_DAY + timedelta(self._play.days)
        coins = [word for coin in self._coins for word in ("--symbol", coin)]
        where = ["--store", "$CANDLES", "--model", "$MODELS/models/reference", "--run", self._root, "--results", "$RESULTS"]
        return [*coins, "--from", FIRST_DAY.isoformat(), "--to", stop.isoformat(), *where]

    def _start_worker(self) -> Worker:
        roots = ("--candles-root", "$CANDLES", "--results-root", "$RESULTS")
        words = ("--queue", "$QUEUE_URL", *roots, "--model", "$MODELS/models/reference")
        settings = {
            "MODEL_CACHE_DIR": str(self._cache),
            "RECEIVE_WAIT_S": "1",  # so that it ends soon once it is asked to
            "HEALTH_FILE": str(self._cache / f"worker-{self._stage.workers + 1}.health"),
        }
        self._tell("worker", *words, "&", settings=settings)
        return self._stage.start_worker(*self._full(words), **settings)

    def _watch(self, workers: list[Worker], started: float, shown: AbstractContextManager[Show]) -> tuple[list[Look], dict[str, Any]]:
        looks: list[Look] = []
        status: dict[str, Any] = {}
        with shown as show:
            for line in self._lines("backfill", "status", "--run", self._root, "--watch", "--json", "--every-s", str(_LOOK_EVERY_S)):
                status = json.loads(line)
                at_s = time.monotonic() - started
                looks.append(Look(at_s, status["done"], status["framesDone"], status["waiting"], status["inFlight"]))
                show(status)
                ended = [worker for worker in workers if not worker.is_alive]
                if ended:
                    raise CoinfarmError(f"{ended[0].name} ended before the work did:\n{ended[0].last_words()}")
        return looks, status

    def _collected(self, status: dict[str, Any], looks: tuple[Look, ...], workers: list[Worker]) -> Outcome:
        import pyarrow.parquet as pq

        predictions = self._play.folder / _PREDICTIONS
        told = "".join(self._lines("backfill", "collect", "--run", self._root, "--output", str(predictions), "--json"))
        write_file(self._play.folder / _COVERAGE, told)
        return Outcome(
            model_version=self._model.name,
            status=status,
            coverage=json.loads(told),
            looks=looks,
            shares=tuple(share_of(worker) for worker in workers),
            commands=tuple(self._commands),
            resources=self._stage.kinds,
            predictions=predictions,
            predictions_rows=pq.read_metadata(predictions).num_rows,
        )

    def _run(self, *words: str) -> None:
        self._tell(*words)
        self._stage.run(*self._full(words))

    def _lines(self, *words: str) -> Iterator[str]:
        self._tell(*words)
        return self._stage.lines(*self._full(words))

    def _tell(self, *words: str, settings: Mapping[str, str] | None = None) -> None:
        before = [f"{name}={value}" for name, value in (settings or {}).items()]
        self._commands.append(" ".join((*before, "coinfarm", *words)))
        self._say(f"$ {self._commands[-1]}")

    def _full(self, words: tuple[str, ...]) -> list[str]:
        """With the names' values in the place of `$NAME`."""
        full = list(words)
        for name, value in self._names.items():
            full = [word.replace(f"${name}", value) for word in full]
        return full


def _reference_bundle() -> Path:
    """The folder of the version that serves."""
    from coinfarm.models.store import ModelStore
    from coinfarm.storage import open_storage

    root = reference_model_uri()
    current = ModelStore(open_storage(root)).current_if_changed(None)
    assert current is not None  # nothing was known before
    return Path(root, "versions", current.version)
