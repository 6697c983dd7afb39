"""A proxy in front of moto's server that injects faults of networks and services."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import Enum
from http.client import HTTPConnection
from urllib.parse import urlsplit

from tests.support.http_server import QuietHandler, serving

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
        handler = type("Handler", (_Handler,), {"proxy": self})
        with serving(handler) as self.url:
            try:
                yield self
            finally:
                self.closing.set()


class _Handler(QuietHandler):
    proxy: FaultyProxy

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(self.command, self.path, "AmazonSQS" in self.headers.get("X-Amz-Target", ""))
        match self.proxy.fault_of(request):
            case Fault.BUSY:
                self._respond(503, [("Content-Type", "application/xml")], _SLOW_DOWN)
            case Fault.HANGS:
                self.proxy.closing.wait(_HANG_S)
                self.close_connection = True
            case Fault.RESET:
                self._reset()
            case fault:
                self._relay(body, fault)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any

    def _relay(self, body: bytes, fault: Fault | None) -> None:
        with closing(HTTPConnection(self.proxy.upstream, timeout=_HANG_S)) as upstream:
            upstream.request(self.command, self.path, body, dict(self.headers.items()))
            response = upstream.getresponse()
            data = response.read()
        headers = [(name, value) for name, value in response.getheaders() if name.lower() not in _HOP_BY_HOP]
        if fault is Fault.RESPONSE_LOST:
            self._reset()
        elif fault is Fault.CUT:
            self._respond(response.status, headers, data[: len(data) // 2], content_length=len(data))
            self.close_connection = True
        elif fault is Fault.GARBLED and data:
            middle = len(data) // 2
            self._respond(response.status, headers, data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])
        else:
            length = int(response.headers.get("Content-Length", len(data)))  # of HEAD: the length of a GET
            self._respond(response.status, headers, data, content_length=length)

    def _respond(self, status: int, headers: list[tuple[str, str]], data: bytes, content_length: int | None = None) -> None:
        self.send_response_only(status)
        for name, value in [*headers, ("Content-Length", str(len(data) if content_length is None else content_length))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
