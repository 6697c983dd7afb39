"""Moves of the pointer while a server answers, and which answers they allow."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.soak.load import Answered
from coinfarm.models.pointer import rollback
from coinfarm.models.promotion import promote
from coinfarm.storage import Storage

_ROLLBACK_EVERY = 3


@dataclass(frozen=True)
class Move:
    """From `begun_s` on a server may see `version`, from `done_s` on it sees no other; times are of `time.perf_counter`."""

    version: str
    how: str
    begun_s: float
    done_s: float


async def move(storage: Storage, versions: Sequence[str], count: int, duration_s: float, moved: list[Move]) -> None:
    """Move the pointer so often, evenly over the time: to the next of the versions, and each third time back to the one before."""
    started_s = time.perf_counter()
    for number in range(count):
        await asyncio.sleep(started_s + (number + 0.5) * duration_s / count - time.perf_counter())
        moved.append(
            await asyncio.to_thread(_move, storage, versions, is_back=number % _ROLLBACK_EVERY == _ROLLBACK_EVERY - 1, last=moved[-1])
        )


def _move(storage: Storage, versions: Sequence[str], *, is_back: bool, last: Move) -> Move:
    begun_s = time.perf_counter()
    following = versions[(versions.index(last.version) + 1) % len(versions)]
    pointer = rollback(storage) if is_back else promote(storage, following)
    return Move(pointer.version, "rollback" if is_back else "promote", begun_s, time.perf_counter())


def taken_up_s(moves: Sequence[Move], answers: Sequence[Answered]) -> list[float | None]:
    """After each move but the first, which is how things stood: the seconds until the first answer that names its version, or None."""
    found: list[float | None] = []
    for at, each in enumerate(moves[1:], 1):
        stop_s = moves[at + 1].begun_s if at + 1 < len(moves) else float("inf")
        ended = [answer.ended_s for answer in answers if answer.version == each.version and each.begun_s <= answer.ended_s < stop_s]
        found.append(max(0.0, min(ended) - each.done_s) if ended else None)
    return found


def strays(moves: Sequence[Move], answers: Sequence[Answered], patience_s: float) -> list[Answered]:
    """Answers by a version that did not serve at any moment from `patience_s` before they were asked for until they came."""
    ends_s = [each.done_s for each in moves[1:]] + [float("inf")]

    def is_allowed(answer: Answered) -> bool:
        return any(
            answer.version == each.version and each.begun_s <= answer.ended_s and answer.sent_s <= end_s + patience_s
            for each, end_s in zip(moves, ends_s, strict=True)
        )

    return [answer for answer in answers if answer.version is not None and not is_allowed(answer)]
