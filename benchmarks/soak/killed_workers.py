"""Workers that are killed at random and restarted."""

import contextlib
import random
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen

from benchmarks.soak import child_processes

_MIN_LIFETIME_S = 0.2
_STARTED = '"worker started"'
_EXIT_TIMEOUT_S = 120
"""How long a worker may take to finish the messages in progress after SIGTERM."""


@dataclass
class _WorkerSlot:
    """The current process of a worker, and how long it may run after its start."""

    name: str
    process: "Popen[bytes]"
    log: Path
    lifetime_s: float
    starts: int = 1
    kill_at_s: float | None = None


@dataclass
class KilledWorkers:
    """A number of workers, each of which is killed within `max_lifetime_s` after its start, until there were `max_kills`."""

    folder: Path
    arguments: tuple[str, ...]
    settings: Mapping[str, object]
    max_lifetime_s: float
    max_kills: int
    rng: random.Random
    kills: int = 0
    unexpected_exits: list[str] = field(default_factory=list)
    _slots: list[_WorkerSlot] = field(default_factory=list)

    @contextlib.contextmanager
    def started(self, count: int) -> Iterator["KilledWorkers"]:
        """Start `count` workers, and kill them at exit."""
        try:
            for number in range(1, count + 1):
                self._slots.append(self._start(f"worker-{number}", 1))
            yield self
        finally:
            for slot in self._slots:
                slot.process.kill()
                slot.process.wait()

    def kill_and_restart(self) -> None:
        """Kill the workers whose lifetime is over, and restart those that have ended."""
        for number, slot in enumerate(self._slots):
            code = slot.process.poll()
            if code is not None:
                self.unexpected_exits.append(f"{slot.log.name} ended with {code}")
            elif self._is_due(slot):
                slot.process.kill()
                slot.process.wait()
                self.kills += 1
            else:
                continue
            self._slots[number] = self._start(slot.name, slot.starts + 1)

    def stop(self) -> list[int]:
        """Send SIGTERM to all workers, and return their exit codes."""
        for slot in self._slots:
            slot.process.send_signal(signal.SIGTERM)
        return [slot.process.wait(_EXIT_TIMEOUT_S) for slot in self._slots]

    def logs(self) -> list[Path]:
        """The logs of all workers, including killed ones."""
        return sorted(self.folder.glob("worker-*.log"))

    def _start(self, name: str, start: int) -> _WorkerSlot:
        log = self.folder / f"{name}-{start}.log"
        settings = {**self.settings, "HEALTH_FILE": self.folder / f".{name}.health"}
        process = child_processes.start(("worker", *self.arguments), log, settings)
        return _WorkerSlot(name, process, log, self.rng.uniform(_MIN_LIFETIME_S, self.max_lifetime_s), start)

    def _is_due(self, slot: _WorkerSlot) -> bool:
        if self.kills >= self.max_kills:
            return False
        now_s = time.monotonic()
        if slot.kill_at_s is None and _STARTED in slot.log.read_text(errors="replace"):
            slot.kill_at_s = now_s + slot.lifetime_s
        return slot.kill_at_s is not None and now_s >= slot.kill_at_s
