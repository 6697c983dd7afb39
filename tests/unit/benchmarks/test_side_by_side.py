"""The comparison of `coinfarm serve` with FastAPI and BentoML, without these packages."""

import os
from contextlib import nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from benchmarks.servers import side_by_side
from benchmarks.servers.side_by_side import Server, measure, servers_table
from coinfarm.errors import CoinfarmError
from tests.support.table_text import assert_fits

FAST, SLOW, MISSING = Server("fast", "coinfarm", ()), Server("slow", "numpy", ()), Server("missing", "not_installed", ())
PORTS = {FAST: 1, SLOW: 2}


@pytest.fixture
def predictions(monkeypatch: pytest.MonkeyPatch) -> dict[int, list[float]]:
    """What the two installed servers predict, by port."""
    predicted = {1: [0.5, -0.4, 0.1], 2: [0.51, -0.4, 0.1]}
    monkeypatch.setattr(side_by_side, "SERVERS", (FAST, SLOW, MISSING))
    monkeypatch.setattr(side_by_side, "started", lambda server, _: nullcontext((PORTS[server], 0)))
    monkeypatch.setattr(side_by_side, "_predictions", predicted.get)
    return predicted


@pytest.mark.usefixtures("predictions")
def test_measures_the_installed_servers_together(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(places: list[tuple[int, int]], connections: int, _turns: int, _seconds: float) -> list[dict[str, Any]]:
        return [{"requestsPerS": 100.0 * connections / port, "p50Ms": port, "p99Ms": 2 * port} for port, _ in places]

    monkeypatch.setattr(side_by_side, "_load", load)
    measured = measure(turns=1, seconds=0)
    assert [(each["server"], each["connections"], each["requestsPerS"]) for each in measured] == [
        ("fast", 1, 100),
        ("slow", 1, 50),
        ("fast", 8, 800),
        ("slow", 8, 400),
    ]
    assert_fits(servers_table(measured), 120)


class _Ok(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """No log."""


@pytest.mark.enable_socket
def test_the_load_client_reports_the_figures_of_a_server() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Ok) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        (figures,) = side_by_side._load([(server.server_port, os.getpid())], connections=2, turns=1, seconds=0.1)
        server.shutdown()
    assert 0 < figures["p50Ms"] <= figures["p99Ms"]
    assert figures["requestsPerS"] > 0


def test_servers_with_different_models_are_not_compared(predictions: dict[int, list[float]]) -> None:
    predictions[2] = [0.5, -0.4, 0.2]
    with pytest.raises(CoinfarmError, match="slow"):
        measure(turns=1, seconds=0)


@pytest.mark.usefixtures("predictions")
def test_says_what_is_missing_and_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    text = side_by_side.warning()
    assert text is not None
    assert "not_installed" in text
    assert "numpy" not in text
    monkeypatch.setattr(side_by_side, "SERVERS", (FAST, SLOW))
    assert side_by_side.warning() is None
