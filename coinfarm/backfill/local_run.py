"""A run on this machine: processes that share its shards, one engine each on its share of the cores."""

import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, NamedTuple

from coinfarm.backfill.job_runner import run_jobs
from coinfarm.backfill.run_manifest import Run
from coinfarm.backfill.shard import Shard
from coinfarm.backfill.shard_job import ShardJob
from coinfarm.candle_store.snapshot import CandleStoreSnapshot
from coinfarm.errors import CoinfarmError
from coinfarm.serving.service import Service
from coinfarm.serving.settings import Settings

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess


_TELL_EVERY_S = 0.3


class Settled(NamedTuple):
    """What became of a shard: `error` is None where its result lies there; `frames` are all that its process has predicted so far."""

    shard: Shard
    error: str | None
    frames: int


@dataclass
class RunProgress:
    """How a run goes: shards settled, windows asked of those that are done, frames predicted, and how many of them are of shards that are
    not settled yet, about.
    """

    shards: int
    done: int = 0
    windows_done: int = 0
    frames: int = 0
    frames_in_progress: int = 0
    failed: dict[Shard, str] = field(default_factory=dict)
    stopped: bool = False


def run_locally(root: str, shards: Sequence[Shard], processes: int, on_progress: Callable[[RunProgress], None]) -> RunProgress:
    """Do the shards of the run at `root`; those whose results are there are left as they are. `on_progress` is told after each, and
    some times a second.

    Ctrl-C lets each process finish what it has in work, and a second one ends them at once; nothing is lost by either, nor by a kill:
    a result appears whole or not at all. Raises `CoinfarmError` where every process died.
    """
    crew = _Crew(root, deque(shards), RunProgress(len(shards)), on_progress)
    with _on_interrupt(crew.stop):
        try:
            crew.work(processes)
        finally:
            crew.end()
    return crew.tally


@dataclass
class _Member:
    process: "BaseProcess"
    in_work: set[Shard] = field(default_factory=set)
    frames: int = 0
    frames_settled: int = 0


class _Crew:
    """The processes, and what the one that leads them knows."""

    def __init__(self, root: str, pending: "deque[Shard]", tally: RunProgress, on_progress: Callable[[RunProgress], None]) -> None:
        self.tally = tally
        self._root = root
        self._pending = pending
        self._on_progress = on_progress
        self._members: dict[Connection, _Member] = {}
        self._complaint: str | None = None

    def work(self, processes: int) -> None:
        """Until nothing is left to do, or nobody to do it.

        A process that has heard that nothing is left is gone when another one dies with something in work; so new ones are started, as
        long as some of the work gets done by each generation.
        """
        settled = -1
        while self._pending and self._complaint is None and settled < self._settled:
            settled = self._settled
            self._start(min(processes, len(self._pending)))
            while self._members:
                for connection in wait(list(self._members)):
                    assert isinstance(connection, Connection)
                    self._answer(connection, self._members[connection])
        if self._pending:
            reason = self._complaint or "every process was killed, perhaps by the system for want of memory"
            raise CoinfarmError(f"{len(self._pending)} shards are left: {reason}; run again to go on")

    def _start(self, processes: int) -> None:
        context = multiprocessing.get_context("spawn")  # a forked engine would inherit locks that other threads hold
        for cores in _shares(processes):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(self._root, cores, theirs), daemon=True)
            with _unheard_interrupt():
                process.start()
            theirs.close()  # so that one hears of its end
            self._members[ours] = _Member(process)

    def stop(self) -> None:
        """Hand out no more; what is in work is finished."""
        self.tally.stopped = True
        self._pending.clear()

    def end(self) -> None:
        for member in self._members.values():
            member.process.kill()
            member.process.join()

    def _answer(self, connection: Connection, member: _Member) -> None:
        try:
            said = connection.recv()
            if isinstance(said, Settled):
                self._settle(said, member)
            elif isinstance(said, int):
                self._predicted(said, member)
                self._on_progress(self.tally)
            elif isinstance(said, str):
                self._complaint = said
            else:
                connection.send(self._next(member))
        except (EOFError, OSError):
            if not self.tally.stopped:
                self._pending.extendleft(member.in_work)  # for another process, or for the next run
            del self._members[connection]
            member.process.join()

    @property
    def _settled(self) -> int:
        return self.tally.done + len(self.tally.failed)

    def _next(self, member: _Member) -> Shard | None:
        if not self._pending:
            return None
        shard = self._pending.popleft()
        member.in_work.add(shard)
        return shard

    def _settle(self, said: Settled, member: _Member) -> None:
        member.in_work.discard(said.shard)
        member.frames_settled = said.frames
        self._predicted(said.frames, member)
        if said.error is None:
            self.tally.done += 1
            self.tally.windows_done += said.shard.asked
        else:
            self.tally.failed[said.shard] = said.error
        self._on_progress(self.tally)

    def _predicted(self, frames: int, member: _Member) -> None:
        self.tally.frames += frames - member.frames
        member.frames = frames
        self.tally.frames_in_progress = sum(each.frames - each.frames_settled for each in self._members.values())


def cores_here() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _shares(processes: int) -> list[frozenset[int] | None]:
    """The cores of each process; None where the system does not let one choose them, or there are fewer than processes."""
    if not hasattr(os, "sched_getaffinity"):
        return [None] * processes
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < processes:
        return [None] * processes
    return [frozenset(cores[at::processes]) for at in range(processes)]


@contextmanager
def _on_interrupt(stop: Callable[[], None]) -> Iterator[None]:
    """The first Ctrl-C stops tidily, the second as ever."""
    before = signal.getsignal(signal.SIGINT)

    def first(*_: object) -> None:
        signal.signal(signal.SIGINT, before)
        stop()

    signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _unheard_interrupt() -> Iterator[None]:
    """A process that is started meanwhile never hears of Ctrl-C, not even while it imports; this one hears of it afterwards."""
    resource_tracker.ensure_running()  # which unblocks the signal where it starts later
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(root: str, cores: frozenset[int] | None, leader: Connection) -> None:
    """The life of one process: it asks for shards, and tells what became of them. It ends with its leader."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all of a terminal's processes; the leader tells the others
    if cores is not None:
        os.sched_setaffinity(0, cores)
    try:
        _do_shards(Run.at(root), leader)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except CoinfarmError as error:
        leader.send(str(error))
    except Exception as error:  # noqa: BLE001 - the leader tells of it, and of what is left
        leader.send(f"a process failed with {error!r}")


def _do_shards(run: Run, leader: Connection) -> None:
    version = run.manifest.model_version
    history = CandleStoreSnapshot(run.candles)
    last_told = time.monotonic()

    def tell() -> None:
        nonlocal last_told
        if time.monotonic() - last_told > _TELL_EVERY_S:
            last_told = time.monotonic()
            leader.send(predictor.timings.frames)

    settings = Settings.from_environment({**os.environ, "MODEL_URI": run.model_uri})
    predictor = Service(settings).predictor(version, before_batch=tell, use_cache=False)

    def jobs() -> Iterator[tuple[Shard, ShardJob]]:
        while True:
            leader.send(None)
            shard = leader.recv()
            if shard is None:
                return
            yield shard, ShardJob(shard, version, history, run.results)

    def settle(shard: Shard, error: Exception | None) -> None:
        leader.send(Settled(shard, None if error is None else str(error) or repr(error), predictor.timings.frames))

    run_jobs(jobs(), predictor, settle)
