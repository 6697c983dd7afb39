"""The second part: a backfill through S3 and SQS by workers that are killed at random, compared with one in peace."""

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import boto3
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.soak.killing import Posts
from benchmarks.soak.promises import Promise
from benchmarks.soak.versions import reference_bundle
from coinfarm.aws.sqs import Queue
from coinfarm.backfill.collect import collect
from coinfarm.backfill.coverage import WindowCounts
from coinfarm.backfill.run_manifest import KEY as MANIFEST_KEY
from coinfarm.backfill.run_manifest import Run
from coinfarm.backfill.status import Status, StatusMonitor
from coinfarm.backfill.submission import KEY as SUBMISSION_KEY
from coinfarm.demo.environment import DemoEnvironment

COINS = ("DEMOBTC", "DEMOETH", "DEMOLTC", "DEMOXRP")
STRIDE = 10
WORKERS = 2
VISIBILITY_TIMEOUT_S = 5
"""What a killed worker held is seen again that soon; in production it is two minutes."""
_FIRST_DAY = date(2024, 1, 1)
_LOOK_EVERY_S, _TEND_EVERY_S = 2.0, 0.1
_IDLE_LOOKS = 3
_LIVES = 10
"""The longest life of a worker is so many times shorter than the whole takes in peace, however fast the machine is."""
_PATIENCE_S = 1_200
_POISON = ("not JSON", '{"symbol": "DEMOBTC", "interval": "7 apples", "date": "2024-01-02"}', '{"symbol": "DEMOBTC"}')
"""Messages that no worker can do."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Outcome:
    """What the backfill came to.

    `differing` are results that are not those of the run in peace, to the bit; `strangers` keys that nobody should have written;
    `rewritten` shards whose result was written more than once, `rewritten_otherwise` those of them whose writings were not all the same;
    `redelivered` messages that were done at a second or later delivery. `good_dead_letters` were moved back, `lost` sent again.
    """

    shards: int
    seconds: float
    peace_s: float
    kills: int
    longest_life_s: float
    ended_by_themselves: list[str]
    exit_codes: list[int]
    counts: WindowCounts
    rows: int
    max_rows_of_a_window: int
    missing: int
    differing: list[str]
    strangers: list[str]
    failure_notes: int
    rewritten: int
    rewritten_otherwise: int
    redelivered: int
    good_dead_letters: int
    redrives: int
    lost: int
    left_in_queue: int
    dead_letters: list[str]

    @property
    def shards_per_s(self) -> float:
        return self.shards / self.seconds

    @property
    def frames_per_s(self) -> float:
        return self.counts.predicted / self.seconds

    def promises(self) -> list[Promise]:
        """What was to hold, and whether it did."""
        counts = self.counts
        is_whole = (
            counts.is_consistent
            and not self.missing
            and counts.predicted == self.rows == counts.requested
            and self.max_rows_of_a_window == 1
        )
        return [
            Promise("every window is predicted, once", is_whole, f"{self.rows:,} of {counts.requested:,}, {self.missing} shards missing"),
            Promise("every result equals an undisturbed run's", not self.differing, f"{len(self.differing)} of {self.shards:,} differ"),
            Promise(
                "what was written twice was the same",
                not self.rewritten_otherwise,
                f"{self.rewritten_otherwise} of {self.rewritten} differ",
            ),
            Promise("nothing is left half-written", not self.strangers, f"{len(self.strangers)} keys that nobody should have written"),
            Promise("no shard is lost from the queue", not self.lost, f"{self.lost} had to be sent again"),
            Promise(
                "only poison rests in the dead-letter queue",
                sorted(self.dead_letters) == sorted(_POISON) and not self.left_in_queue,
                f"{len(self.dead_letters)} letters of {len(_POISON)} poisoned; {self.good_dead_letters} good ones were moved back",
            ),
            Promise(
                "workers end when they are asked to, and only then",
                not any(self.exit_codes) and not self.ended_by_themselves,
                f"exit codes {self.exit_codes}, {len(self.ended_by_themselves)} ended by themselves",
            ),
        ]

    def document(self) -> dict[str, Any]:
        """As soak.json has it."""
        return {
            "shards": self.shards,
            "frames": self.counts.predicted,
            "seconds": self.seconds,
            "secondsInPeace": self.peace_s,
            "shardsPerSecond": self.shards_per_s,
            "framesPerSecond": self.frames_per_s,
            "workers": WORKERS,
            "kills": self.kills,
            "longestLifeS": self.longest_life_s,
            "hiddenS": VISIBILITY_TIMEOUT_S,
            "redelivered": self.redelivered,
            "writtenTwice": self.rewritten,
            "missing": self.missing,
            "differing": self.differing[:10],
            "strangers": self.strangers[:10],
            "failureNotes": self.failure_notes,
            "poison": len(_POISON),
            "deadLetters": len(self.dead_letters),
            "goodDeadLetters": self.good_dead_letters,
            "redrives": self.redrives,
            "sentAgain": self.lost,
            "endedByThemselves": self.ended_by_themselves,
        }


def soak_backfill(stage: DemoEnvironment, folder: Path, shards: int, seed: int, progress: Progress) -> Outcome:
    """Do so many shards, a multiple of `len(COINS)`, on the stage's queue and buckets; logs and results go to the folder."""
    farm = _Farm(stage, folder, shards // len(COINS))
    farm.prepare()
    peace_s = farm.do_in_peace()
    return farm.do_under_fire(seed, progress, peace_s)


class _Farm:
    def __init__(self, stage: DemoEnvironment, folder: Path, days: int) -> None:
        outputs = stage.outputs
        self._stage = stage
        self._folder = folder
        self._days = days
        self._models = f"s3://{outputs['ModelBucketName']}/models/backfill"
        self._candles = f"s3://{outputs['CandleBucketName']}"
        self._bucket = outputs["ResultBucketName"]
        self._queue = Queue(outputs["QueueUrl"])
        dead_letters = self._queue.dead_letters()
        assert dead_letters is not None  # the template gives it one
        self._dead_letters = dead_letters
        self._peace, self._fire = (Run.at(f"s3://{self._bucket}/{name}") for name in ("peace", "fire"))

    def prepare(self) -> None:
        """History from the day before the first shard's, so that each has all its windows; the model; two plans of the same work."""
        # To count what is written twice; the plan of where it lies is not ours, so it is done to the stand-in's bucket alone.
        boto3.client("s3").put_bucket_versioning(Bucket=self._bucket, VersioningConfiguration={"Status": "Enabled"})
        before = _FIRST_DAY - timedelta(1)
        for seed, coin in enumerate(COINS, 1):
            made = ("--symbol", coin, "--from", before.isoformat(), "--days", str(self._days + 1), "--seed", str(seed))
            self._run("history", "generate", *made, "--store", self._candles)
        self._run("model", "publish", str(reference_bundle().folder), "--to", self._models, "--no-compile", "--promote")
        for run in (self._peace, self._fire):
            coins = [word for coin in COINS for word in ("--symbol", coin)]
            days = ("--from", _FIRST_DAY.isoformat(), "--to", (_FIRST_DAY + timedelta(self._days)).isoformat(), "--stride", str(STRIDE))
            where = ("--store", self._candles, "--model", self._models, "--run", run.storage.uri(), "--frames-per-s", "3000")
            self._run("backfill", "plan", *coins, *days, *where)

    def _run(self, *words: str) -> None:
        _silently(self._stage, *words)

    def do_in_peace(self) -> float:
        """The seconds that `coinfarm backfill run` takes, its start included."""
        started = time.monotonic()
        self._run("backfill", "run", "--run", self._peace.storage.uri())
        return time.monotonic() - started

    def do_under_fire(self, seed: int, progress: Progress, peace_s: float) -> Outcome:
        shards = len(list(self._fire.manifest.shards()))
        self._queue.send(_POISON)
        self._run("backfill", "submit", "--run", self._fire.storage.uri(), "--queue", self._queue.url)
        posts = Posts(
            self._folder,
            ("--queue", self._queue.url, "--model", self._models),
            {
                "CANDLES_ROOT": self._candles,
                "RESULTS_ROOT": f"s3://{self._bucket}",
                "MODEL_CACHE_DIR": self._folder / "models",
                "VISIBILITY_TIMEOUT_S": VISIBILITY_TIMEOUT_S,
                "RECEIVE_WAIT_S": 1,
            },
            longest_life_s=max(1.0, peace_s / _LIVES),
            max_kills=max(2 * WORKERS, shards // 20),
            chance=random.Random(seed),
        )
        started = time.monotonic()
        care = _Care(self._stage, self._fire, self._queue, self._dead_letters, posts, progress)
        with posts.manned(WORKERS):
            seconds = care.until_done(started)
            left = care.until_empty(started)
            exit_codes = posts.end()
        return self._outcome(posts, care, seconds, peace_s, exit_codes, left)

    def _outcome(self, posts: Posts, care: "_Care", seconds: float, peace_s: float, exit_codes: list[int], left: int) -> Outcome:
        shards, version = list(self._fire.manifest.shards()), self._fire.manifest.model_version
        keys = {shard.key(version) for shard in shards}
        notes = {shard.failure_key(version) for shard in shards}
        found = set(self._fire.results.list())
        differing = [key for key in sorted(keys & found) if self._fire.results.read(key).data != self._peace.results.read(key).data]
        path = self._folder / "all.parquet"
        coverage = collect(self._fire, path)
        windows = pq.read_table(path, columns=["symbol", "open_time"]).group_by(["symbol", "open_time"]).aggregate([([], "count_all")])
        writings = self._writings()
        return Outcome(
            shards=len(shards),
            seconds=seconds,
            peace_s=peace_s,
            kills=posts.kills,
            longest_life_s=posts.longest_life_s,
            ended_by_themselves=posts.ended_by_themselves,
            exit_codes=exit_codes,
            counts=coverage.total,
            rows=pc.sum(windows["count_all"]).as_py() or 0,
            max_rows_of_a_window=pc.max(windows["count_all"]).as_py() or 0,
            missing=len(coverage.missing),
            differing=differing,
            strangers=sorted(found - keys - notes - {MANIFEST_KEY, SUBMISSION_KEY}),
            failure_notes=len(found & notes),
            rewritten=sum(len(etags) > 1 for etags in writings.values()),
            rewritten_otherwise=sum(len(set(etags)) > 1 for etags in writings.values()),
            redelivered=sum(entry["redelivered"] for entry in _turns(posts.logs())),
            good_dead_letters=care.good_dead_letters,
            redrives=care.redrives,
            lost=care.lost,
            left_in_queue=left,
            dead_letters=self._letters(),
        )

    def _writings(self) -> dict[str, list[str]]:
        """The etag of each writing of each result."""
        found: dict[str, list[str]] = {}
        pages = boto3.client("s3").get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix="fire/predictions/")
        for page in pages:
            for written in page.get("Versions", []):
                found.setdefault(written["Key"], []).append(written["ETag"])
        return found

    def _letters(self) -> list[str]:
        letters: list[str] = []
        while messages := self._dead_letters.receive(visibility_timeout_s=600):
            letters += [message.body for message in messages]
        return letters


class _Care:
    """Watches a run as its operator would: what became a dead letter though it is good is moved back, what is lost sent again."""

    def __init__(self, stage: DemoEnvironment, run: Run, queue: Queue, dead_letters: Queue, posts: Posts, progress: Progress) -> None:
        self._stage = stage
        self._run = run
        self._queue = queue
        self._looks = StatusMonitor(run, queue, dead_letters)
        self._posts = posts
        self._progress = progress
        self.redrives = self.good_dead_letters = self.lost = 0
        self._idle = 0

    def until_done(self, started: float) -> float:
        """Until every shard has a result, or that takes too long; the seconds since then."""
        while True:
            status = self._looks.status()
            self._progress(status.done, status.shards)
            seconds = time.monotonic() - started
            if status.is_complete or seconds > _PATIENCE_S:
                return seconds
            self._idle = self._idle + 1 if status.is_idle else 0
            if self._idle >= _IDLE_LOOKS:
                self._help(status)
            self._tend()

    def until_empty(self, started: float) -> int:
        """Until nothing waits in the queue any more; nobody is killed. How much is left where that takes too long."""
        self._posts.max_kills = 0
        while (left := self._queue.depth().total) and time.monotonic() - started < _PATIENCE_S:
            self._tend()
        return left

    def _tend(self) -> None:
        until = time.monotonic() + _LOOK_EVERY_S
        while time.monotonic() < until:
            self._posts.tend()
            time.sleep(_TEND_EVERY_S)

    def _help(self, status: Status) -> None:
        self._idle = 0
        good = max(0, (status.dead_lettered or 0) - len(_POISON))
        if good:
            self.good_dead_letters += good
            self.redrives += 1
            _silently(self._stage, "backfill", "redrive", "--run", self._run.storage.uri())
        else:
            self.lost += status.shards - status.done
            _silently(self._stage, "backfill", "resume", "--run", self._run.storage.uri())


def _silently(stage: DemoEnvironment, *words: str) -> None:
    """A command of `coinfarm` whose words nobody needs."""
    for _ in stage.output_lines(*words):
        pass


def _turns(logs: list[Path]) -> list[dict[str, Any]]:
    """What the workers logged of each turn."""
    lines = (line for log in logs for line in log.read_text(errors="replace").splitlines() if '"batch processed"' in line)
    return [json.loads(line) for line in lines if line.endswith("}")]  # a kill may cut a line
