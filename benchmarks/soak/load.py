"""An open-loop load generator: requests are due at fixed times, and latency counts from then."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx

from benchmarks.soak.request_mix import LoadRequest, Validation

_TIMEOUT_S = 30
Validate = Callable[[LoadRequest, int, str, bytes], Validation]


@dataclass(frozen=True)
class LoadResponse:
    """The outcome of one request. Times are of `time.perf_counter`; `error` says what is wrong with the response, if anything."""

    kind: str
    due_s: float
    sent_s: float
    ended_s: float
    version: str | None
    error: str | None

    @property
    def latency_ms(self) -> float:
        """From the time at which the request was due, so it includes waiting for slow requests before it."""
        return 1000 * (self.ended_s - self.due_s)


def poisson_arrivals(rate_per_s: float, duration_s: float, seed: int) -> Iterator[float]:
    """The seconds from the start at which requests of many independent users are due."""
    rng = random.Random(seed)
    at_s = rng.expovariate(rate_per_s)
    while at_s < duration_s:
        yield at_s
        at_s += rng.expovariate(rate_per_s)


async def send_requests(
    url: str, sample: Callable[[], LoadRequest], validate: Validate, due_s: Iterator[float], connections: int
) -> list[LoadResponse]:
    """Send a sampled request at each due time, or as soon after it as one of the persistent connections is free."""
    queue: asyncio.Queue[tuple[float, LoadRequest] | None] = asyncio.Queue()
    responses: list[LoadResponse] = []

    async def connection() -> None:
        async with httpx.AsyncClient(base_url=url, timeout=_TIMEOUT_S, limits=httpx.Limits(max_connections=1), trust_env=False) as client:
            while (due := await queue.get()) is not None:
                responses.append(await _send(client, *due, validate))

    started_s = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(connection())
        for at_s in due_s:
            request = sample()
            await asyncio.sleep(started_s + at_s - time.perf_counter())
            queue.put_nowait((started_s + at_s, request))
        for _ in range(connections):
            queue.put_nowait(None)
    return responses


async def _send(client: httpx.AsyncClient, due_s: float, request: LoadRequest, validate: Validate) -> LoadResponse:
    sent_s = time.perf_counter()
    try:
        response = await client.request(
            request.method, request.path, content=request.content or None, headers={"content-type": request.media_type}
        )
        ended_s = time.perf_counter()
        validation = validate(request, response.status_code, response.headers.get("content-type", ""), response.content)
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        ended_s = time.perf_counter()
        validation = Validation(None, f"{request.kind}: {error!r}")
    return LoadResponse(request.kind, due_s, sent_s, ended_s, *validation)
