"""A proxy in front of `coinfarm serve` that records the requests for predictions, and fails on demand."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from tests.support.http_server import QuietHandler, Respond, response, serving


class RecordingProxy:
    """Passes every request on. `fault`, if set, responds in the server's place."""

    def __init__(self, server_url: str) -> None:
        self.url = ""
        self.requests: list[dict[str, Any]] = []
        """Those for predictions, answered by the server."""
        self.failed: list[dict[str, Any]] = []
        """Those for predictions, answered by `fault`."""
        self.has_described_model = False
        self.fault: Respond | None = None
        self.model: dict[str, Any] = {}
        """Fields of the response to `GET /model` to be changed."""
        self._server_url = server_url

    @classmethod
    @contextmanager
    def running(cls, server_url: str) -> Iterator["RecordingProxy"]:
        proxy = cls(server_url)

        class Handler(QuietHandler):
            def do_GET(self) -> None:
                proxy._respond(self, b"")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                (proxy.failed if proxy.fault else proxy.requests).append(json.loads(body))
                proxy._respond(self, body)

        with serving(Handler) as proxy.url:
            yield proxy

    def _respond(self, handler: QuietHandler, body: bytes) -> None:
        if self.fault is not None:
            self.fault(handler)
            return
        headers = {"Content-Type": "application/json"}
        found = requests.request(handler.command, self._server_url + handler.path, data=body, headers=headers, timeout=60)
        document = found.json()
        is_model = handler.path.startswith("/model")
        response(json.dumps(document | self.model if is_model else document), found.status_code)(handler)
        self.has_described_model |= is_model
