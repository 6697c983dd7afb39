"""The comparison of `coinfarm serve` with FastAPI and BentoML, without these packages and without a network."""

from contextlib import nullcontext
from typing import Any

import pytest

from benchmarks.servers import side_by_side
from benchmarks.servers.side_by_side import CONNECTIONS, Server, measure, servers_table
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
def test_measures_installed_servers_in_turns_and_takes_the_fastest_round(monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[tuple[int, int]] = []

    def load(port: int, _pid: int, connections: int, _seconds: float) -> dict[str, Any]:
        loads.append((port, connections))
        return {"requestsPerS": 100.0 / port + len(loads), "p50Ms": port, "p99Ms": 2 * port}

    monkeypatch.setattr(side_by_side, "_load", load)
    measured = measure(rounds=2, seconds=0)
    assert loads == [(port, connections) for connections in CONNECTIONS for _ in range(2) for port in (1, 2)]
    assert [(each["server"], each["connections"], each["requestsPerS"]) for each in measured] == [
        ("fast", 1, 103),
        ("slow", 1, 54),
        ("fast", 8, 107),
        ("slow", 8, 58),
    ]
    assert_fits(servers_table(measured), 120)


def test_servers_with_different_models_are_not_compared(predictions: dict[int, list[float]]) -> None:
    predictions[2] = [0.5, -0.4, 0.2]
    with pytest.raises(CoinfarmError, match="slow"):
        measure(rounds=1, seconds=0)


@pytest.mark.usefixtures("predictions")
def test_says_what_is_missing_and_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    text = side_by_side.warning()
    assert text is not None
    assert "not_installed" in text
    assert "numpy" not in text
    monkeypatch.setattr(side_by_side, "SERVERS", (FAST, SLOW))
    assert side_by_side.warning() is None
