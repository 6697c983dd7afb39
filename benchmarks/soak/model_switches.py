"""Switch the version in service while a server responds, and check which version each response names."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.soak.load import LoadResponse
from coinfarm.models.pointer import rollback
from coinfarm.models.promotion import promote
from coinfarm.storage import Storage

_ROLLBACK_EVERY = 3


@dataclass(frozen=True)
class ModelSwitch:
    """A change of the pointer to `version` between `started_s` and `done_s`, times of `time.perf_counter`."""

    version: str
    method: str
    started_s: float
    done_s: float


async def switch_models(storage: Storage, versions: Sequence[str], count: int, duration_s: float, switches: list[ModelSwitch]) -> None:
    """Switch `count` times, evenly over the duration, and append to `switches`. Every third switch is a rollback."""
    started_s = time.perf_counter()
    for number in range(count):
        await asyncio.sleep(started_s + (number + 0.5) * duration_s / count - time.perf_counter())
        is_rollback = number % _ROLLBACK_EVERY == _ROLLBACK_EVERY - 1
        switches.append(await asyncio.to_thread(_switch, storage, versions, is_rollback, switches[-1].version))


def _switch(storage: Storage, versions: Sequence[str], is_rollback: bool, current: str) -> ModelSwitch:
    started_s = time.perf_counter()
    following = versions[(versions.index(current) + 1) % len(versions)]
    pointer = rollback(storage) if is_rollback else promote(storage, following)
    return ModelSwitch(pointer.version, "rollback" if is_rollback else "promote", started_s, time.perf_counter())


def switch_delays_s(switches: Sequence[ModelSwitch], responses: Sequence[LoadResponse]) -> list[float | None]:
    """For each switch but the first (the initial state), the seconds until the first response of its version; None if there is none."""
    delays: list[float | None] = []
    for number, switch in enumerate(switches[1:], 1):
        stop_s = switches[number + 1].started_s if number + 1 < len(switches) else float("inf")
        ended_s = [each.ended_s for each in responses if each.version == switch.version and switch.started_s <= each.ended_s < stop_s]
        delays.append(max(0.0, min(ended_s) - switch.done_s) if ended_s else None)
    return delays


def unexpected_versions(switches: Sequence[ModelSwitch], responses: Sequence[LoadResponse], max_delay_s: float) -> list[LoadResponse]:
    """The responses of a version that was not in service at any time from `max_delay_s` before the request until the response."""
    ends_s = [switch.done_s for switch in switches[1:]] + [float("inf")]

    def is_expected(response: LoadResponse) -> bool:
        return any(
            response.version == switch.version and switch.started_s <= response.ended_s and response.sent_s <= end_s + max_delay_s
            for switch, end_s in zip(switches, ends_s, strict=True)
        )

    return [response for response in responses if response.version is not None and not is_expected(response)]
