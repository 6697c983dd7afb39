"""Workers that are killed at random and started again."""

import contextlib
import random
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen

from benchmarks.soak import processes

_SHORTEST_LIFE_S = 0.2
_STARTED = '"worker started"'
_PATIENCE_S = 120  # a worker that is asked to end may finish what it has in work


@dataclass
class _Post:
    """One worker's place: who works there, and how long that one may once it has begun."""

    name: str
    process: "Popen[bytes]"
    log: Path
    life_s: float
    starts: int = 1
    dies_at_s: float | None = None


@dataclass
class Posts:
    """So many workers at work at a time. Each is killed within `longest_life_s` after it began, until `max_kills` were."""

    folder: Path
    arguments: tuple[str, ...]
    settings: Mapping[str, object]
    longest_life_s: float
    max_kills: int
    chance: random.Random
    kills: int = 0
    ended_by_themselves: list[str] = field(default_factory=list)
    _posts: list[_Post] = field(default_factory=list)

    @contextlib.contextmanager
    def manned(self, count: int) -> Iterator["Posts"]:
        """No worker outlives it."""
        try:
            for number in range(1, count + 1):
                self._posts.append(self._begin(f"worker-{number}", 1))
            yield self
        finally:
            for post in self._posts:
                post.process.kill()
                post.process.wait()

    def tend(self) -> None:
        """Kill whose time has come, and fill each empty post."""
        for at, post in enumerate(self._posts):
            code = post.process.poll()
            if code is not None:
                self.ended_by_themselves.append(f"{post.log.name} ended with {code}")
            elif self._is_to_die(post):
                post.process.kill()
                post.process.wait()
                self.kills += 1
            else:
                continue
            self._posts[at] = self._begin(post.name, post.starts + 1)

    def end(self) -> list[int]:
        """Ask all to end; their exit codes."""
        for post in self._posts:
            post.process.send_signal(signal.SIGTERM)
        return [post.process.wait(_PATIENCE_S) for post in self._posts]

    def logs(self) -> list[Path]:
        """Of all that were there."""
        return sorted(self.folder.glob("worker-*.log"))

    def _begin(self, name: str, start: int) -> _Post:
        log = self.folder / f"{name}-{start}.log"
        process = processes.start(("worker", *self.arguments), log, {**self.settings, "HEALTH_FILE": self.folder / f".{name}.health"})
        return _Post(name, process, log, self.chance.uniform(_SHORTEST_LIFE_S, self.longest_life_s), start)

    def _is_to_die(self, post: _Post) -> bool:
        if self.kills >= self.max_kills:
            return False
        now_s = time.monotonic()
        if post.dies_at_s is None and _STARTED in post.log.read_text(errors="replace"):
            post.dies_at_s = now_s + post.life_s
        return post.dies_at_s is not None and now_s >= post.dies_at_s
