"""Bodies that are too large, slow, incomplete or invalid HTTP: `coinfarm serve` responds, needs little memory, and continues."""

import gzip
import json
import socket
import sys
import time
from contextlib import ExitStack

import pytest
import requests

from tests.support.demo_requests import demo_request

pytestmark = [pytest.mark.enable_socket, pytest.mark.skipif(sys.platform != "linux", reason="needs Linux' /proc")]


@pytest.fixture(autouse=True)
def container():
    """Replaces the container of the unit tests: the server has its own."""


@pytest.fixture(autouse=True)
def bounded_memory_and_alive(served):
    """After each attack, the server predicts and its memory has not grown much."""
    served.check_alive()
    with served.limit_memory(60):  # several times the body limit: a body is held as parts, as bytes, and in base64
        yield
        served.check_alive()


def connected(served):
    return socket.create_connection(("127.0.0.1", served.port), timeout=20)


def head(*headers):
    return "\r\n".join(["POST /predictions HTTP/1.1", "Host: coinfarm", "Content-Type: application/json", *headers, "", ""]).encode()


def read_response(connection):
    """Read until the server closes the connection or a complete problem document has arrived."""
    received = b""
    while part := connection.recv(65_536):
        received += part
        if received.endswith(b"}"):
            break
    return received


def test_rejects_a_body_of_100_mb(served):
    response = requests.post(f"{served.url}/predictions", data=b"[" * 100_000_000, headers={"content-type": "application/json"}, timeout=30)
    assert response.status_code == 413
    assert response.headers["content-type"] == "application/problem+json"


def test_rejects_a_chunked_body_once_it_is_too_large(served):
    """While the client is still sending."""
    chunk = b"100000\r\n" + b" " * (1 << 20) + b"\r\n"
    with connected(served) as connection:
        connection.sendall(head("Transfer-Encoding: chunked"))
        for _ in range(8):
            connection.sendall(chunk)
        assert b" 413 " in read_response(connection).partition(b"\r\n")[0]


def test_slow_bodies_do_not_block_other_clients(served):
    body = json.dumps(demo_request()).encode()
    with ExitStack() as stack:
        slow = [stack.enter_context(connected(served)) for _ in range(50)]
        for connection in slow:
            connection.sendall(head(f"Content-Length: {len(body)}") + body[:100])
        started = time.monotonic()
        served.check_alive()
        assert time.monotonic() - started < 5
        slow[0].sendall(body[100:])
        assert slow[0].recv(65_536).startswith(b"HTTP/1.1 200")


def test_does_not_process_an_incomplete_body(served):
    body = json.dumps(demo_request()).encode()
    with connected(served) as connection:
        connection.sendall(head(f"Content-Length: {len(body) + 1}") + body)
        connection.shutdown(socket.SHUT_WR)
        assert b" 200 " not in read_response(connection).partition(b"\r\n")[0]


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), id="TLS"),
        pytest.param(b"hello\r\n\r\n", id="not HTTP"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"A: " + b"a" * 1_000_000 + b"\r\n\r\n", id="a header of a megabyte"),
        pytest.param(head("Content-Length: -1"), id="a negative length"),
        pytest.param(head("Content-Length: 5", "Content-Length: 6") + b"hello", id="two lengths"),
        pytest.param(head("Content-Length: 99999999999999999999999999"), id="a length beyond 64 bits"),
        pytest.param(head("Transfer-Encoding: chunked") + b"zz\r\n", id="an invalid chunk length"),
    ],
)
def test_invalid_http_is_a_client_error(served, sent):
    with connected(served) as connection:
        try:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            received = read_response(connection)
        except OSError:
            return  # closed before it was all sent
    assert not received or received.split(b" ")[1].startswith(b"4")


def test_websockets_are_not_found(served):
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "A" * 22 + "=="}
    assert requests.get(f"{served.url}/anything", headers=headers, timeout=10).status_code == 404


@pytest.mark.parametrize("path", ["/%2e%2e/..%2fetc/passwd", "//etc/passwd", "/docs/../../secret", "/%00", "/%ff"])
def test_path_traversal_is_not_found(served, path):
    with connected(served) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert b" 404 " in read_response(connection).partition(b"\r\n")[0]


def test_does_not_decompress_bodies(served):
    """`content-encoding` is ignored, so no body can expand."""
    packed = gzip.compress(bytes(1 << 26))
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    response = requests.post(f"{served.url}/predictions", data=packed, headers=headers, timeout=10)
    assert response.status_code == 400
