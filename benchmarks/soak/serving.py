"""The first part: `coinfarm serve` under load for minutes, while the version in service is moved again and again."""

import asyncio
import contextlib
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.soak import processes
from benchmarks.soak.load import Answered, arrivals, send
from benchmarks.soak.mix import BATCH_FRAMES, NPZ_FRAMES, SHARES, Mix
from benchmarks.soak.moves import Move, move, strays, taken_up_s
from benchmarks.soak.promises import Promise
from benchmarks.soak.versions import reference_bundle, scaled
from benchmarks.soak.vitals import Trend, Vitals, trend, watch
from coinfarm.candles.synthetic import generate
from coinfarm.engines.loading import load_engine
from coinfarm.errors import CoinfarmError
from coinfarm.models.promotion import promote
from coinfarm.models.publish import publish
from coinfarm.prediction.model_manager import LoadedModel
from coinfarm.prediction.predictor import Predictor
from coinfarm.prediction.series import Series
from coinfarm.storage import Storage, open_storage
from image_render.spec import STANDARD

CONNECTIONS = 4
REFRESH_S = 1
PATIENCE_S = REFRESH_S + 3
"""The pointer is asked for every `REFRESH_S`; a busy machine may take the rest to load what it names."""
MAX_GROWTH_SHARE = 0.05
MIN_TREND_S = 240
MAX_MORE_THREADS_OR_FILES = 2
_FACTORS = (1.0, 1.25, 0.8)
_NEW_YEAR_2026_MS = 1_767_225_600_000


@dataclass(frozen=True)
class Plan:
    """How long, how hard, how many moves, over how many different frames: more than the server remembers answers of."""

    duration_s: float
    rate_per_s: float
    moves: int
    windows: int
    seed: int


@dataclass(frozen=True)
class Served:
    """What was seen: `moves` begin with how things stood."""

    plan: Plan
    engine: str
    answers: list[Answered]
    moves: list[Move]
    vitals: list[Vitals]

    @property
    def faults(self) -> list[str]:
        """What was wrong with answers, if anything."""
        return [answer.fault for answer in self.answers if answer.fault is not None]

    @property
    def taken_up_s(self) -> list[float | None]:
        return taken_up_s(self.moves, self.answers)

    @property
    def strays(self) -> list[Answered]:
        return strays(self.moves, self.answers, PATIENCE_S)

    @property
    def slowest_ms(self) -> list[float]:
        """After each move the slowest of the answers that were due before the version had to be taken up."""
        starts_s = [each.begun_s for each in self.moves[1:]]
        return [
            max((answer.latency_ms for answer in self.answers if start_s <= answer.due_s <= start_s + PATIENCE_S), default=0.0)
            for start_s in starts_s
        ]

    def trend(self, of: Callable[[Vitals], float]) -> Trend:
        return trend([each.at_s for each in self.vitals], [of(each) for each in self.vitals])

    @property
    def seconds(self) -> float:
        return max(answer.ended_s for answer in self.answers) - min(answer.due_s for answer in self.answers)

    def latencies_ms(self, kind: str | None = None) -> dict[str, float]:
        """Of one kind of requests, or of all."""
        found = [answer.latency_ms for answer in self.answers if kind in (None, answer.kind)]
        if not found:
            return {}
        named = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p99.9": 99.9, "max": 100.0}
        return dict(zip(named, map(float, np.percentile(found, list(named.values()))), strict=True))

    def promises(self) -> list[Promise]:
        """What was to hold, and whether it did; of memory nothing, where the time was too short to see it grow."""
        taken = self.taken_up_s
        slowest = max((seconds for seconds in taken if seconds is not None), default=float("inf"))
        promises = [
            Promise("no request fails", not self.faults, f"{len(self.faults)} of {len(self.answers):,}"),
            Promise("no version answers before or after its time", not self.strays, f"{len(self.strays)} strays"),
            Promise(
                f"a promoted version is taken up within {PATIENCE_S} s",
                None not in taken and slowest <= PATIENCE_S,
                f"{len(taken) - taken.count(None)} of {len(taken)}, the slowest after {slowest:.1f} s",
            ),
        ]
        return promises if self.plan.duration_s < MIN_TREND_S else [*promises, *self._flat()]

    def _flat(self) -> Iterator[Promise]:
        memory = self.trend(lambda vitals: vitals.rss_mb)
        yield Promise(
            f"memory grows by no more than {100 * MAX_GROWTH_SHARE:g} % in the last two thirds",
            memory.growth_share <= MAX_GROWTH_SHARE,
            f"{memory.growth:+.1f} MB of {memory.mean:.0f}",
        )
        for name, each in (
            ("threads", self.trend(lambda vitals: vitals.threads)),
            ("open files", self.trend(lambda vitals: vitals.files)),
        ):
            yield Promise(
                f"no more than {MAX_MORE_THREADS_OR_FILES} {name} more in that time",
                each.growth <= MAX_MORE_THREADS_OR_FILES,
                f"{each.growth:+.1f} of {each.mean:.0f}",
            )

    def document(self) -> dict[str, Any]:
        """As soak.json has it."""
        memory = self.trend(lambda vitals: vitals.rss_mb)
        counts = Counter(answer.kind for answer in self.answers)
        return {
            "seconds": self.seconds,
            "engine": self.engine,
            "requestsPerSecond": len(self.answers) / self.seconds,
            "requests": dict(sorted(counts.items())),
            "framesPredicted": counts["one frame"] + BATCH_FRAMES * counts["batch of 100 frames"] + NPZ_FRAMES * counts["npz of 8 frames"],
            "failed": len(self.faults),
            "faults": self.faults[:10],
            "strays": len(self.strays),
            "latencyMs": {"all": self.latencies_ms(), **{kind: self.latencies_ms(kind) for kind in SHARES if counts[kind]}},
            "swaps": [
                {"to": each.version, "by": each.how, "takenUpS": taken, "slowestMs": slowest}
                for each, taken, slowest in zip(self.moves[1:], self.taken_up_s, self.slowest_ms, strict=True)
            ],
            "refreshS": REFRESH_S,
            "memoryMb": {
                "mean": memory.mean,
                "most": max(each.rss_mb for each in self.vitals),
                "growth": memory.growth,
                "growthPerHour": memory.growth_per_hour,
                "overTime": [round(each.rss_mb, 1) for each in self.vitals[:: max(1, len(self.vitals) // 60)]],
            },
            "threads": _range(each.threads for each in self.vitals),
            "openFiles": _range(each.files for each in self.vitals),
            "cores": (self.vitals[-1].cpu_s - self.vitals[0].cpu_s) / (self.vitals[-1].at_s - self.vitals[0].at_s),
        }


def soak_server(models_root: str, folder: Path, plan: Plan, progress: Callable[[float, float], None]) -> Served:
    """Serve from a model root in S3, in a process of its own, and send what the plan says; logs go to the folder."""
    candles = generate("DEMOUSD", "1m", _NEW_YEAR_2026_MS, plan.windows + STANDARD.window_candles - 1, plan.seed)
    reference = reference_bundle()
    bundles = [scaled(reference, folder / f"times-{factor:g}", factor) for factor in _FACTORS]
    models = [LoadedModel(bundle, load_engine(bundle, "auto", BATCH_FRAMES), load_ms=0) for bundle in bundles]
    truth = {model.version: Predictor(model, BATCH_FRAMES).predict(Series(candles)).values_pct for model in models}
    storage = open_storage(models_root)
    versions = [publish(storage, bundle) for bundle in bundles]
    promote(storage, versions[0])
    mix = Mix(candles, truth, plan.seed)
    log = folder / "serve.log"
    settings = {"MODEL_REFRESH_S": REFRESH_S, "MODEL_CACHE_DIR": folder / "cache"}
    with processes.ended(processes.start(("serve", "--port", "0", "--model", models_root), log, settings)) as process:
        line = processes.line_with("Serving on", log, process)
        found = re.search(r"http://[\d.:]+", line)
        assert found is not None
        moves = [Move(versions[0], "promote", float("-inf"), float("-inf"))]
        vitals: list[Vitals] = []
        answers = asyncio.run(_soak(found[0], process.pid, plan, mix, _Mover(storage, versions, moves), vitals, progress))
    return Served(plan, models[0].engine.name, answers, moves, vitals)


@dataclass(frozen=True)
class _Mover:
    storage: Storage
    versions: Sequence[str]
    moves: list[Move]


async def _soak(
    url: str, pid: int, plan: Plan, mix: Mix, mover: _Mover, vitals: list[Vitals], progress: Callable[[float, float], None]
) -> list[Answered]:
    await _warm_up(url, mix)
    beside = [
        asyncio.create_task(watch(psutil.Process(pid), min(1.0, plan.duration_s / 60), vitals)),
        asyncio.create_task(_tell(plan.duration_s, progress)),
    ]
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(move(mover.storage, mover.versions, plan.moves, plan.duration_s, mover.moves))
            sending = group.create_task(send(url, mix.draw, mix.judge, arrivals(plan.rate_per_s, plan.duration_s, plan.seed), CONNECTIONS))
    finally:
        for task in beside:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    return sending.result()


async def _warm_up(url: str, mix: Mix) -> None:
    """Ask for every window once, so that the memory of answers is as full as it gets. Raises `CoinfarmError` where one is not answered."""
    batches = mix.batches()
    coming = iter(batches)
    answers = await send(url, lambda: next(coming), mix.judge, (0.0 for _ in batches), connections=1)
    faults = [answer.fault for answer in answers if answer.fault is not None]
    if faults:
        raise CoinfarmError(f"the server fails before there is any load ({faults[0]}); --logs FOLDER keeps what it says")


async def _tell(duration_s: float, progress: Callable[[float, float], None]) -> None:
    started_s = time.perf_counter()
    while True:
        progress(min(time.perf_counter() - started_s, duration_s), duration_s)
        await asyncio.sleep(0.5)


def _range(values: Iterable[int]) -> dict[str, int]:
    found = list(values)
    return {"least": min(found), "most": max(found)}
