"""A process's memory, threads and open files over time, and whether they stay as they are."""

import asyncio
import time
from collections.abc import Sequence
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
    """Something over the last two thirds of a time: the mean, and what it grows by in it, told from the medians of the two halves.

    Medians, since a model that loads beside the one that serves needs memory for both for a while.
    """

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


def trend(at_s: Sequence[float], values: Sequence[float]) -> Trend:
    """Of values at times. The first third is left out, since in it the allocator and the caches still fill."""
    third = len(at_s) // 3
    times, kept = np.array(at_s[third:]), np.array(values[third:])
    earlier, later = np.array_split(kept, 2)
    growth = 2 * float(np.median(later) - np.median(earlier))  # from the middle of one half to that of the other is half the time
    seconds = float(times[-1] - times[0])
    return Trend(float(kept.mean()), growth, 3600 * growth / seconds)
