"""Routes that only the server has: complete responses, streams, and errors."""

import asyncio
import threading
import time

import pytest

from coinfarm.errors import NotFound
from handler.asgi import Application
from handler.server_routes import ServerResponse
from tests.support.asgi_server import serving

pytestmark = pytest.mark.enable_socket


async def echo(request):
    if request.query.get("fail"):
        raise NotFound("no such thing")
    content = f"{request.query['a']} {request.headers['x-name']} {request.body.decode()}".encode()
    return ServerResponse(content, "text/plain", 201, {"x-more": "yes"})


class EndlessStream:
    """A route with a part at once and then none, and whether its generator was closed."""

    def __init__(self):
        self.is_closed = threading.Event()

    async def __call__(self, request):
        return ServerResponse(self.parts(), "text/event-stream")

    async def parts(self):
        try:
            yield b"data: 1\n\n"
            await asyncio.Event().wait()
        finally:
            self.is_closed.set()


async def three_parts(request):
    async def parts():
        for number in b"123":
            yield bytes([number])

    return ServerResponse(parts(), "text/plain")


@pytest.fixture
def endless():
    return EndlessStream()


@pytest.fixture
def client(endless):
    routes = {("POST", "/echo"): echo, ("GET", "/echo"): echo, ("GET", "/endless"): endless, ("GET", "/three"): three_parts}
    with serving(Application(routes)) as client:
        yield client


def test_gets_query_headers_and_body_and_chooses_status_and_headers(client):
    response = client.post("/echo", params={"a": "b c"}, headers={"X-Name": "n"}, content=b"body")
    assert (response.status_code, response.text) == (201, "b c n body")
    assert (response.headers["content-type"], response.headers["x-more"]) == ("text/plain", "yes")


def test_head_equals_get_without_the_body(client):
    request = {"params": {"a": "b"}, "headers": {"x-name": "n"}}
    head, get = client.head("/echo", **request), client.get("/echo", **request)
    assert (head.status_code, head.content) == (201, b"")
    assert head.headers["content-length"] == get.headers["content-length"]
    assert client.head("/endless").content == b""


@pytest.mark.parametrize(("query", "status"), [({"fail": "1"}, 404), ({}, 500)], ids=["known", "unexpected"])
def test_errors_are_problem_documents(client, query, status):
    response = client.get("/echo", params=query)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert response.json()["status"] == status


def test_a_finite_stream_is_complete_and_keeps_the_connection(client):
    assert [client.get("/three").text for _ in range(2)] == ["123", "123"]


def test_the_parts_of_a_stream_arrive_as_they_are_made_and_a_disconnect_closes_it(client, endless):
    with client.stream("GET", "/endless") as response:
        assert response.headers["content-type"] == "text/event-stream"
        parts = response.iter_bytes()
        assert next(parts) == b"data: 1\n\n"
        assert not endless.is_closed.is_set()
    assert endless.is_closed.wait(5)
    assert client.get("/health").status_code == 200


def test_a_stream_does_not_keep_the_server_from_stopping(endless):
    with serving(Application({("GET", "/endless"): endless})) as client:
        parts = client.send(client.build_request("GET", "/endless"), stream=True).iter_bytes()
        assert next(parts)
        assert not endless.is_closed.is_set()
        started = time.monotonic()
    assert endless.is_closed.is_set()
    assert time.monotonic() - started < 5
