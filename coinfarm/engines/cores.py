"""How many cores this process may use: by its affinity, and by the CPU limit of its container, which libraries size themselves without.

A limit such as `docker run --cpus=1` is a quota of processor time in a control group: of version 2 (`cpu.max`) or 1 (`cpu.cfs_quota_us`).
https://docs.kernel.org/admin-guide/cgroup-v2.html, https://docs.kernel.org/scheduler/sched-bwc.html
"""

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple

_GROUPS = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")


@cache
def available_cores() -> int:
    """The number of cores that this process may use, at least 1; a limit of one and a half cores counts as two."""
    cores = machine_cores()
    quota = quota_cores()
    return cores if quota is None else max(1, min(cores, math.ceil(quota)))


def machine_cores() -> int:
    """The number of cores of the affinity, without the container's limit: what libraries start threads for."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def engine_threads(requested: int | None) -> int | None:
    """The number of threads to tell an engine: the requested one, else that of a limit; None if it may size itself by the machine."""
    if requested is not None:
        return requested
    cores = available_cores()
    return cores if cores < machine_cores() else None


class CoreShare(NamedTuple):
    """The part of one of several processes: the cores that it is bound to, or else the number of its engine's threads."""

    cores: frozenset[int] | None = None
    threads: int | None = None


def core_shares(processes: int) -> list[CoreShare]:
    """A share for each of the processes. They are bound to cores only where each has one of its own, and no container has a part of all."""
    machine, available = machine_cores(), available_cores()
    if available < machine or available < processes or not hasattr(os, "sched_getaffinity"):
        return [CoreShare(threads=max(1, available // processes))] * processes
    cores = sorted(os.sched_getaffinity(0))
    return [CoreShare(cores=frozenset(cores[number::processes])) for number in range(processes)]


def quota_cores(groups: Path = _GROUPS, membership: Path = _MEMBERSHIP) -> float | None:
    """The smallest limit of the process' control groups and of those around them, in cores; None without a limit."""
    limits = [limit for folder in _group_folders(groups, membership) if (limit := _limit(folder)) is not None]
    return min(limits, default=None)


def _group_folders(groups: Path, membership: Path) -> Iterator[Path]:
    """The folders of the groups, innermost first. In a container, the path may be that of the host, and only the root can be seen."""
    with suppress(OSError):
        for line in membership.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            names = controllers.split(",") if controllers else []
            if names and "cpu" not in names:
                continue
            roots = (groups / controllers, groups / "cpu") if names else (groups, groups / "unified")
            inner = [part for part in PurePosixPath(path).parts if part not in ("/", "..")]
            for root in roots:
                yield from (root.joinpath(*inner[:depth]) for depth in range(len(inner), -1, -1))


def _limit(folder: Path) -> float | None:
    """The limit of one group; None for no limit and for what is no group."""
    with suppress(OSError, ValueError):
        quota, period = (folder / "cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    with suppress(OSError, ValueError):
        quota_us, period_us = (int((folder / f"cpu.cfs_{name}_us").read_text()) for name in ("quota", "period"))
        return quota_us / period_us if quota_us > 0 else None
    return None
