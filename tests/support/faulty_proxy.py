"""A proxy in front of moto's server that injects faults of networks and services."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_HANG_S = 60
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "server", "date"}
_SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


class Fault(Enum):
    """A fault of a request."""

    BUSY = "status 503"
    HANGS = "no response"
    CUT = "only half of the response"
    GARBLED = "a flipped bit in the response"
    RESET = "the connection is reset"
    RESPONSE_LOST = "the request succeeds, but its response is lost"


@dataclass(frozen=True)
class Request:
    """The properties of a request by which faults are chosen."""

    method: str
    path: str
    is_of_queue: bool


Choose = Callable[[Request], "Fault | None"]


def no_faults(_: Request) -> None:
    """Inject no fault."""


def repeated(fault: Fault, requests: dict[str, int]) -> Choose:
    """Inject a fault into the first requests of each kind; a kind is a method and a bucket, such as "GET candles"."""
    remaining = requests.copy()

    def choose(request: Request) -> Fault | None:
        kind = f"{request.method} {request.path.split('/')[1]}"
        if not remaining.get(kind):
            return None
        remaining[kind] -= 1
        return fault

    return choose


class FaultyProxy:
    """`choose` returns the fault of a request and may be replaced at any time. `injected` are the faults so far."""

    def __init__(self, upstream: str) -> None:
        self.choose: Choose = no_faults
        self.injected: list[tuple[Fault, Request]] = []
        self.url = ""
        self.upstream = urlsplit(upstream).netloc
        self.closing = threading.Event()
        self._lock = threading.Lock()

    def fault_of(self, request: Request) -> Fault | None:
        with self._lock:
            fault = self.choose(request)
            if fault is not None:
                self.injected.append((fault, request))
            return fault

    @contextmanager
    def listening(self) -> Iterator["FaultyProxy"]:
        with _Server(("127.0.0.1", 0), self) as server:
            self.url = "http://{}:{}".format(*server.server_address)
            threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
            try:
                yield self
            finally:
                self.closing.set()
                server.shutdown()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a client may keep its connection open

    def __init__(self, address: tuple[str, int], proxy: FaultyProxy) -> None:
        super().__init__(address, _Handler)
        self.proxy = proxy

    def handle_error(self, *_: object) -> None:
        pass  # killed clients disconnect


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # supports `Expect: 100-continue`
    server: _Server

    def handle_any(self) -> None:
        proxy = self.server.proxy
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(self.command, self.path, "AmazonSQS" in self.headers.get("X-Amz-Target", ""))
        match proxy.fault_of(request):
            case Fault.BUSY:
                self._respond(503, [("Content-Type", "application/xml")], _SLOW_DOWN)
            case Fault.HANGS:
                proxy.closing.wait(_HANG_S)
                self.close_connection = True
            case Fault.RESET:
                self._reset()
            case fault:
                self._relay(body, fault)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any

    def _relay(self, body: bytes, fault: Fault | None) -> None:
        upstream = HTTPConnection(self.server.proxy.upstream, timeout=_HANG_S)
        try:
            upstream.request(self.command, self.path, body, dict(self.headers.items()))
            response = upstream.getresponse()
            data = response.read()
        finally:
            upstream.close()
        if fault is Fault.RESPONSE_LOST:
            self._reset()
        elif fault is Fault.CUT:
            self._respond(response.status, _headers(response), data[: len(data) // 2], content_length=len(data))
            self.close_connection = True
        elif fault is Fault.GARBLED:
            self._respond(response.status, _headers(response), _garbled(data))
        else:
            length = int(response.headers.get("Content-Length", len(data)))  # of HEAD: the length of a GET
            self._respond(response.status, _headers(response), data, content_length=length)

    def _respond(self, status: int, headers: list[tuple[str, str]], data: bytes, content_length: int | None = None) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data) if content_length is None else content_length))
        self.end_headers()
        self.wfile.write(data)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


def _headers(response: HTTPResponse) -> list[tuple[str, str]]:
    return [(name, value) for name, value in response.getheaders() if name.lower() not in _HOP_BY_HOP]


def _garbled(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :] if data else data
