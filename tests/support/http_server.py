"""HTTP servers in threads of this process, and their responses."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Respond = Callable[[BaseHTTPRequestHandler], None]


class QuietHandler(BaseHTTPRequestHandler):
    """Logs nothing."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        pass  # killed clients disconnect


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler], host: str = "127.0.0.1") -> Iterator[str]:
    """Run a server at an address of this machine, and yield its URL."""
    with _Server((host, 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        try:
            yield f"http://{host}:{server.server_port}"
        finally:
            server.shutdown()


def response(body: str, status: int = 200, *, sent_bytes: int | None = None, **headers: str) -> Respond:
    """Send a response; with `sent_bytes`, close the connection after that many bytes of the body."""

    def send(request: BaseHTTPRequestHandler) -> None:
        data = body.encode()
        request.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(data[:sent_bytes])
        if sent_bytes is not None:
            request.close_connection = True

    return send


def disconnect(request: BaseHTTPRequestHandler) -> None:
    """Close the connection without a response."""
    request.close_connection = True
