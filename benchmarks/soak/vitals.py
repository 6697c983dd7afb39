"""A process's memory, threads and open files over time, and whether they stay as they are."""

import asyncio
import time
from dataclasses import dataclass

import numpy as np
import psutil

_MB = 1_000_000


@dataclass(frozen=True)
class Vitals:
    """A process at one moment of `time.perf_counter`."""

    at_s: float
    rss_mb: float
    threads: int
    files: int
    cpu_s: float


@dataclass(frozen=True)
class Trend:
    """Something over the last two thirds of a time: the mean, and what the line that fits best grows by in it."""

    mean: float
    growth: float
    growth_per_hour: float

    @property
    def growth_share(self) -> float:
        return self.growth / self.mean


def look(process: psutil.Process) -> Vitals:
    """As it is now."""
    with process.oneshot():
        cpu = process.cpu_times()
        return Vitals(time.perf_counter(), process.memory_info().rss / _MB, process.num_threads(), process.num_fds(), cpu.user + cpu.system)


async def watch(process: psutil.Process, every_s: float, seen: list[Vitals]) -> None:
    """Look again and again, until it is cancelled."""
    while True:
        seen.append(look(process))
        await asyncio.sleep(every_s)


def trend(at_s: list[float], values: list[float]) -> Trend:
    """Of values at times. The first third is left out, since in it the allocator and the caches still fill."""
    third = len(at_s) // 3
    times, kept = np.array(at_s[third:]), np.array(values[third:])
    slope_per_s = float(np.polyfit(times - times[0], kept, 1)[0])
    return Trend(float(kept.mean()), slope_per_s * float(times[-1] - times[0]), slope_per_s * 3600)
