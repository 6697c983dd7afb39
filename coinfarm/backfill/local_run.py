"""Run a backfill on this machine with a process pool. Each process has its own engine and its share of the cores."""

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING

from coinfarm.backfill.shard import Shard
from coinfarm.backfill.shard_process import FinishedShard, run_shard_process
from coinfarm.engines.cores import core_shares
from coinfarm.errors import CoinfarmError
from coinfarm.reports.formatting import plural_text

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess


@dataclass
class RunProgress:
    """The progress of a local run.

    `frames` counts the windows that the engines have predicted (a frame is the image of a window); `frames_in_progress` of them are in
    unfinished shards.
    """

    shards: int
    done: int = 0
    windows_done: int = 0
    frames: int = 0
    frames_in_progress: int = 0
    failed: dict[Shard, str] = field(default_factory=dict)
    stopped: bool = False


def run_locally(root: str, shards: Sequence[Shard], processes: int, on_progress: Callable[[RunProgress], None]) -> RunProgress:
    """Process the shards of the run at `root` that have no result. `on_progress` is called after each shard and a few times per second.

    After Ctrl-C the processes finish the shards in progress; a second Ctrl-C ends them at once. Results are written atomically, so neither
    a second Ctrl-C nor a kill damages any. Raises `CoinfarmError` if every process died.
    """
    pool = _ProcessPool(root, deque(shards), RunProgress(len(shards)), on_progress)
    with _stop_on_interrupt(pool.stop):
        try:
            pool.run(processes)
        finally:
            pool.kill()
    return pool.progress


@dataclass
class _Child:
    process: "BaseProcess"
    in_progress: set[Shard] = field(default_factory=set)
    frames: int = 0
    frames_finished: int = 0


class _ProcessPool:
    """The parent's view of the child processes, and the shards not handed out yet."""

    def __init__(self, root: str, pending: "deque[Shard]", progress: RunProgress, on_progress: Callable[[RunProgress], None]) -> None:
        self.progress = progress
        self._root = root
        self._pending = pending
        self._on_progress = on_progress
        self._children: dict[Connection, _Child] = {}
        self._fatal_error: str | None = None

    def run(self, processes: int) -> None:
        """Run until no shard is pending, or no process makes progress.

        Processes exit when no shard is pending. If another process then dies, its shards become pending again, so new processes are
        started, as long as each generation finishes some shards.
        """
        finished = -1
        while self._pending and self._fatal_error is None and finished < self._finished:
            finished = self._finished
            self._start(min(processes, len(self._pending)))
            while self._children:
                for connection in wait(list(self._children)):
                    assert isinstance(connection, Connection)
                    self._handle_message(connection, self._children[connection])
        if self._pending:
            reason = self._fatal_error or "every process was killed, perhaps by the system because it ran out of memory"
            raise CoinfarmError(f"{plural_text(len(self._pending), 'shard')} left: {reason}; run again to continue")

    def _start(self, processes: int) -> None:
        context = multiprocessing.get_context("spawn")  # a forked engine would inherit locks that other threads hold
        for share in core_shares(processes):
            parent_end, child_end = context.Pipe()
            process = context.Process(target=run_shard_process, args=(self._root, share, child_end), daemon=True)
            with _interrupts_blocked():
                process.start()
            child_end.close()  # so that reading fails when the child exits
            self._children[parent_end] = _Child(process)

    def stop(self) -> None:
        """Hand out no more shards. Those in progress are finished."""
        self.progress.stopped = True
        self._pending.clear()

    def kill(self) -> None:
        for child in self._children.values():
            child.process.kill()
            child.process.join()

    def _handle_message(self, connection: Connection, child: _Child) -> None:
        """Handle a finished shard, a number of frames, a fatal error (text), a request for a shard (None), or the end of the child."""
        try:
            message = connection.recv()
            if isinstance(message, FinishedShard):
                self._finish_shard(message, child)
            elif isinstance(message, int):
                self._add_frames(message, child)
                self._on_progress(self.progress)
            elif isinstance(message, str):
                self._fatal_error = message
            else:
                connection.send(self._next_shard(child))
        except (EOFError, OSError):
            if not self.progress.stopped:
                self._pending.extendleft(child.in_progress)  # for another process, or for the next run
            del self._children[connection]
            child.process.join()

    @property
    def _finished(self) -> int:
        return self.progress.done + len(self.progress.failed)

    def _next_shard(self, child: _Child) -> Shard | None:
        if not self._pending:
            return None
        shard = self._pending.popleft()
        child.in_progress.add(shard)
        return shard

    def _finish_shard(self, finished: FinishedShard, child: _Child) -> None:
        child.in_progress.discard(finished.shard)
        child.frames_finished = finished.frames
        self._add_frames(finished.frames, child)
        if finished.error is None:
            self.progress.done += 1
            self.progress.windows_done += finished.shard.window_count
        else:
            self.progress.failed[finished.shard] = finished.error
        self._on_progress(self.progress)

    def _add_frames(self, frames: int, child: _Child) -> None:
        self.progress.frames += frames - child.frames
        child.frames = frames
        self.progress.frames_in_progress = sum(each.frames - each.frames_finished for each in self._children.values())


@contextmanager
def _stop_on_interrupt(stop: Callable[[], None]) -> Iterator[None]:
    """The first Ctrl-C calls `stop`; later ones have their previous effect."""
    previous = signal.getsignal(signal.SIGINT)

    def handle_first(*_: object) -> None:
        signal.signal(signal.SIGINT, previous)
        stop()

    signal.signal(signal.SIGINT, handle_first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Block Ctrl-C, also for processes started meanwhile, even while they import; this process receives it afterwards."""
    resource_tracker.ensure_running()  # because starting it later would unblock the signal
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)
