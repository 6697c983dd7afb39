"""A proxy in front of moto's server that does to requests what networks and services do."""

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
    """What happens to a request in the place of an answer."""

    BUSY = "it is answered with 503"
    HANGS = "it is never answered"
    CUT = "half of the answer comes"
    GARBLED = "one bit of the answer is another"
    RESET = "the connection is reset"
    ANSWER_LOST = "it is done, and its answer is lost"


@dataclass(frozen=True)
class Request:
    """A request, as far as one may choose by it."""

    method: str
    path: str
    is_of_queue: bool


Choose = Callable[[Request], "Fault | None"]


def leave_alone(_: Request) -> None:
    """No request is at fault."""


class FaultyProxy:
    """`choose` says which fault happens to a request; whoever changes it changes what happens from then on. `happened` are those so far."""

    def __init__(self, upstream: str) -> None:
        self.choose: Choose = leave_alone
        self.happened: list[tuple[Fault, Request]] = []
        self.url = ""
        self.upstream = urlsplit(upstream).netloc
        self.closing = threading.Event()
        self._lock = threading.Lock()

    def fault_of(self, request: Request) -> Fault | None:
        with self._lock:
            fault = self.choose(request)
            if fault is not None:
                self.happened.append((fault, request))
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
    block_on_close = False  # a client may keep its connection

    def __init__(self, address: tuple[str, int], proxy: FaultyProxy) -> None:
        super().__init__(address, _Handler)
        self.proxy = proxy

    def handle_error(self, *_: object) -> None:
        pass  # clients that are killed hang up


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # so that `Expect: 100-continue` is answered
    server: _Server

    def handle_any(self) -> None:
        proxy = self.server.proxy
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(self.command, self.path, "AmazonSQS" in self.headers.get("X-Amz-Target", ""))
        match proxy.fault_of(request):
            case Fault.BUSY:
                self._answer(503, [("Content-Type", "application/xml")], _SLOW_DOWN)
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
            answer = upstream.getresponse()
            data = answer.read()
        finally:
            upstream.close()
        if fault is Fault.ANSWER_LOST:
            self._reset()
        elif fault is Fault.CUT:
            self._answer(answer.status, _headers(answer), data[: len(data) // 2], announced=len(data))
            self.close_connection = True
        elif fault is Fault.GARBLED:
            self._answer(answer.status, _headers(answer), _garbled(data))
        else:
            length = int(answer.headers.get("Content-Length", len(data)))  # of HEAD: what it would be
            self._answer(answer.status, _headers(answer), data, announced=length)

    def _answer(self, status: int, headers: list[tuple[str, str]], data: bytes, announced: int | None = None) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data) if announced is None else announced))
        self.end_headers()
        self.wfile.write(data)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


def _headers(answer: HTTPResponse) -> list[tuple[str, str]]:
    return [(name, value) for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP]


def _garbled(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :] if data else data
