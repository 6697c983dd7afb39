"""Load that does not wait for whom it loads: requests are due by a clock, and a latency counts from then."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx

from benchmarks.soak.mix import Ask, Verdict

_TIMEOUT_S = 30
Judge = Callable[[Ask, int, str, bytes], Verdict]


@dataclass(frozen=True)
class Answered:
    """One request's fate; times are of `time.perf_counter`. `fault` says what is wrong with the answer, None where nothing is."""

    kind: str
    due_s: float
    sent_s: float
    ended_s: float
    version: str | None
    fault: str | None

    @property
    def latency_ms(self) -> float:
        """From when it was due, so that those count which had to wait for a slow one before them."""
        return 1000 * (self.ended_s - self.due_s)


def arrivals(rate_per_s: float, duration_s: float, seed: int) -> Iterator[float]:
    """Seconds from the beginning at which requests are due: as they come from many users, who know nothing of each other."""
    chance = random.Random(seed)
    at_s = chance.expovariate(rate_per_s)
    while at_s < duration_s:
        yield at_s
        at_s += chance.expovariate(rate_per_s)


async def send(url: str, draw: Callable[[], Ask], judge: Judge, due: Iterator[float], connections: int) -> list[Answered]:
    """Send each request when it is due, or as soon after that as one of the kept connections is free."""
    waiting: asyncio.Queue[tuple[float, Ask] | None] = asyncio.Queue()
    answered: list[Answered] = []

    async def connection() -> None:
        async with httpx.AsyncClient(base_url=url, timeout=_TIMEOUT_S, limits=httpx.Limits(max_connections=1), trust_env=False) as client:
            while (next_one := await waiting.get()) is not None:
                answered.append(await _sent(client, *next_one, judge))

    started_s = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(connection())
        for at_s in due:
            ask = draw()
            await asyncio.sleep(started_s + at_s - time.perf_counter())
            waiting.put_nowait((started_s + at_s, ask))
        for _ in range(connections):
            waiting.put_nowait(None)
    return answered


async def _sent(client: httpx.AsyncClient, due_s: float, ask: Ask, judge: Judge) -> Answered:
    sent_s = time.perf_counter()
    try:
        response = await client.request(ask.method, ask.path, content=ask.content or None, headers={"content-type": ask.media_type})
        ended_s = time.perf_counter()
        verdict = judge(ask, response.status_code, response.headers.get("content-type", ""), response.content)
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        ended_s = time.perf_counter()
        verdict = Verdict(None, f"{ask.kind}: {error!r}")
    return Answered(ask.kind, due_s, sent_s, ended_s, *verdict)
