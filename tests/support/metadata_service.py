"""A stand-in for EC2's instance metadata service (IMDSv2)."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class MetadataService(ThreadingHTTPServer):
    """`values` are the metadata by path; requests need `token`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.values = {"instance-id": "i-0123"}
        self.token = "token"
        self.url = f"http://127.0.0.1:{self.server_port}"

    @classmethod
    @contextmanager
    def started(cls) -> "Iterator[MetadataService]":
        with cls() as server:
            threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
            yield server
            server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    server: MetadataService

    def do_PUT(self) -> None:
        self._respond("token" if self.path == "/latest/api/token" else None)

    def do_GET(self) -> None:
        if self.headers["X-aws-ec2-metadata-token"] != self.server.token:
            self.send_error(401)
            return
        self._respond(self.server.values.get(self.path.removeprefix("/latest/meta-data/")))

    def _respond(self, text: str | None) -> None:
        self.send_response(404 if text is None else 200)
        self.end_headers()
        self.wfile.write((text or "404 - Not Found").encode())

    def log_message(self, *_: object) -> None:
        pass
