"""A gateway before a server, like API Gateway: it demands a key, and allows pages of other origins."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.support.http_server import QuietHandler, serving

KEY = "a-key"
_FORWARDED = ("content-type", "etag")
_ALLOWED = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "content-type,x-api-key",
    "Access-Control-Allow-Methods": "GET,POST",
}


@contextmanager
def keyed_gateway(server: str) -> Iterator[str]:
    """The URL of a gateway whose stage `/v1` is the server at a URL."""

    class Gateway(QuietHandler):
        def do_GET(self) -> None:
            self._forward(b"")

        def do_POST(self) -> None:
            self._forward(self.rfile.read(int(self.headers["content-length"])))

        def do_OPTIONS(self) -> None:
            self._send(204, {}, b"")

        def _forward(self, body: bytes) -> None:
            if self.headers["x-api-key"] != KEY:
                return self._send(403, {"content-type": "application/json"}, b'{"message":"Forbidden"}')
            headers = {"content-type": self.headers.get("content-type", "application/json")}
            path = self.path.removeprefix("/v1")
            answer = httpx.request(self.command, server + path, content=body, headers=headers, trust_env=False, timeout=30)
            content = answer.content
            if answer.headers["content-type"] == "image/png" != self.headers["accept"]:
                content = base64.b64encode(content)  # binary content is for clients that ask for it
            forwarded = {name: answer.headers[name] for name in _FORWARDED if name in answer.headers}
            return self._send(answer.status_code, forwarded, content)

        def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {**headers, **_ALLOWED, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    with serving(Gateway) as url:
        yield f"{url}/v1"
