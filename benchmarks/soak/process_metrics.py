"""The memory, threads and open files of a process over time, and their trend."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import psutil

_MB = 1_000_000


@dataclass(frozen=True)
class ProcessMetrics:
    """The metrics of a process at the time `at_s` of `time.perf_counter`."""

    at_s: float
    rss_mb: float
    threads: int
    open_files: int
    cpu_s: float


@dataclass(frozen=True)
class Trend:
    """The mean and the growth of a metric over the last two thirds of the time. The growth compares the medians of the two halves.

    Medians, because memory peaks for a while whenever a new model loads next to the one in service.
    """

    mean: float
    growth: float
    growth_per_hour: float

    @property
    def growth_share(self) -> float:
        return self.growth / self.mean


def measure_process(process: psutil.Process) -> ProcessMetrics:
    with process.oneshot():
        cpu = process.cpu_times()
        rss_mb = process.memory_info().rss / _MB
        return ProcessMetrics(time.perf_counter(), rss_mb, process.num_threads(), process.num_fds(), cpu.user + cpu.system)


async def record_metrics(process: psutil.Process, every_s: float, metrics: list[ProcessMetrics]) -> None:
    """Append measurements to `metrics` until cancelled."""
    while True:
        metrics.append(measure_process(process))
        await asyncio.sleep(every_s)


def trend(at_s: Sequence[float], values: Sequence[float]) -> Trend:
    """The trend of `values` at the times `at_s`, without the first third, in which allocator and caches still fill."""
    third = len(at_s) // 3
    times, kept = np.array(at_s[third:]), np.array(values[third:])
    earlier, later = np.array_split(kept, 2)
    growth = 2 * float(np.median(later) - np.median(earlier))  # the centres of the halves are half the time apart
    seconds = float(times[-1] - times[0])
    return Trend(float(kept.mean()), growth, 3600 * growth / seconds)
