"""The load generator of `make soak`."""

import asyncio

import httpx
import pytest

from benchmarks.soak.load import poisson_arrivals, send_requests
from benchmarks.soak.request_mix import LoadRequest, Validation


def test_arrivals_have_the_rate_and_are_reproducible():
    due_s = list(poisson_arrivals(30, 600, seed=1))
    assert due_s == sorted(due_s) == list(poisson_arrivals(30, 600, seed=1))
    assert 0 < due_s[0] < due_s[-1] < 600
    assert len(due_s) == pytest.approx(30 * 600, rel=0.03)


def send(monkeypatch, handle, requests, due_s):
    """Send the requests over one connection to a server that responds with `handle`."""
    client = httpx.AsyncClient
    monkeypatch.setattr(httpx, "AsyncClient", lambda **options: client(**options | {"transport": httpx.MockTransport(handle)}))
    remaining = iter(requests)
    return asyncio.run(
        send_requests("http://server", lambda: next(remaining), lambda *_: Validation(None, None), iter(due_s), connections=1)
    )


def test_latency_includes_waiting_for_a_slow_request(monkeypatch):
    async def handle(request):
        await asyncio.sleep(0.1 if request.url.path == "/slow" else 0)
        return httpx.Response(200)

    requests = [LoadRequest("slow", "GET", "/slow"), *[LoadRequest("quick", "GET", "/quick")] * 9]
    slow, *quick = send(monkeypatch, handle, requests, [number * 0.002 for number in range(10)])
    assert len(quick) == 9
    for response in quick:
        assert response.due_s < slow.ended_s <= response.sent_s
        assert response.latency_ms == pytest.approx(1000 * (response.ended_s - response.due_s))


def test_connection_error_is_a_fault(monkeypatch):
    def handle(_):
        raise httpx.ConnectError("refused")

    (response,) = send(monkeypatch, handle, [LoadRequest("health", "GET", "/health")], [0.0])
    assert response.error == "health: ConnectError('refused')"
