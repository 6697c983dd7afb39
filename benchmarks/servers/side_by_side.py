"""The same requests for one frame to `coinfarm serve`, FastAPI and BentoML with the same model: python -m benchmarks.servers.side_by_side.

Each server is started as its users start it, with one process for predictions. All are measured in turns by `benchmarks.load_client`.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.soak.child_processes import terminated
from coinfarm.candles.json_rows import rows_from_candles
from coinfarm.candles.synthetic import START_OF_2026_MS, generate
from coinfarm.cli.tables import numeric_table
from coinfarm.demo.environment import COMMAND_CODE
from coinfarm.errors import CoinfarmError
from coinfarm.outputs import OUTPUT_NAMES
from image_render.spec import STANDARD

HOW_TO_INSTALL = '.venv/bin/python -m pip install --constraint constraints.txt --editable ".[servers]"'
CONNECTIONS = (1, 8)
_START_S = 120
_MAX_DIFFERENCE = 0.1
"""Of the largest prediction: an 8-bit form differs from float32."""


@dataclass(frozen=True)
class Server:
    """A server and the arguments of Python that start it on `{port}`; `package` is what it needs."""

    name: str
    package: str
    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()


_ADDRESS = ("--host", "127.0.0.1", "--port", "{port}")
SERVERS = (
    Server("coinfarm serve", "coinfarm", ("-c", COMMAND_CODE, "serve", *_ADDRESS), (("PREDICTION_CACHE_FRAMES", "0"),)),
    Server("FastAPI, model.predict", "fastapi", ("-m", "uvicorn", "benchmarks.servers.fastapi_app:app", *_ADDRESS)),
    Server(
        "BentoML, traced function",
        "bentoml",
        ("-m", "bentoml", "serve", "benchmarks.servers.bentoml_service:CandlePredictions", *_ADDRESS),
        (("BENTOML_DO_NOT_TRACK", "True"),),
    ),
)


def missing_packages() -> list[str]:
    """The packages of the servers that are not installed."""
    return [server.package for server in SERVERS if find_spec(server.package) is None]


def measure(turns: int = 6, seconds: float = 1.0) -> list[dict[str, Any]]:
    """Measure the installed servers: a JSON document for each number of connections and server, of the quietest half of the turns.

    Raises `CoinfarmError` if a server does not start, or if servers predict different values.
    """
    servers = [server for server in SERVERS if find_spec(server.package) is not None]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="coinfarm-servers-")))
        running = {server: stack.enter_context(started(server, folder)) for server in servers}
        _check_equal({server.name: _predictions(port) for server, (port, _) in running.items()})
        return [
            {"server": server.name, "version": version(server.package), "connections": connections} | figures
            for connections in CONNECTIONS
            for server, figures in zip(running, _load(list(running.values()), connections, turns, seconds), strict=True)
        ]


@contextmanager
def started(server: Server, folder: Path) -> Iterator[tuple[int, int]]:
    """Start a server, wait until it responds to a prediction, and yield its port and process id."""
    port, log = _free_port(), folder / f"{server.package}.log"
    command = [sys.executable, *(argument.format(port=port) for argument in server.arguments)]
    environment = {**os.environ, "BENTOML_HOME": str(folder / "bentoml"), "TF_CPP_MIN_LOG_LEVEL": "3", **dict(server.environment)}
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    with terminated(process):
        deadline = time.monotonic() + _START_S
        while True:
            try:
                _predictions(port)
            except OSError as error:  # not listening yet, or not ready
                if time.monotonic() > deadline or process.poll() is not None:
                    log_end = log.read_text(errors="replace")[-1000:]
                    raise CoinfarmError(f"{server.name} did not start: {error}; its log ends with: {log_end}") from None
                time.sleep(0.2)
            else:
                break
        yield port, process.pid


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _predictions(port: int) -> list[float]:
    """The predictions of one frame, in the order of `OUTPUT_NAMES`."""
    rows = rows_from_candles(generate("DEMOUSD", "1m", START_OF_2026_MS, STANDARD.window_candles, seed=1))
    body = json.dumps({"symbol": "DEMOUSD", "interval": "1m", "candles": rows}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/predictions", body, {"Content-Type": "application/json"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as response:
        predictions = json.load(response)["results"][0]["predictions"]
    return [predictions[name] for name in OUTPUT_NAMES]


def _check_equal(predictions: Mapping[str, list[float]]) -> None:
    """Raise `CoinfarmError` unless all servers predict the same, apart from the precision of their engines."""
    values = np.array(list(predictions.values()))
    if np.ptp(values, axis=0).max() > _MAX_DIFFERENCE * np.abs(values).max():
        raise CoinfarmError(f"the servers do not have the same model: they predict {predictions}")


def _load(places: list[tuple[int, int]], connections: int, turns: int, seconds: float) -> list[dict[str, float]]:
    """The figures of the servers at these ports, with these process ids."""
    options = ["--connections", str(connections), "--turns", str(turns), "--seconds", str(seconds)]
    command = [sys.executable, "-m", "benchmarks.load_client", *(f"{port}:{pid}" for port, pid in places), *options]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [{name: each["quietest"][name] for name in ("requestsPerS", "p50Ms", "p99Ms")} for each in json.loads(done.stdout)]


def servers_table(measured: list[dict[str, Any]]) -> Table:
    """One row per number of connections and server."""
    table = numeric_table(
        "Requests for one frame over HTTP, the same model", "", "version", "connections", "requests/s", "p50, ms", "p99, ms"
    )
    for each in measured:
        table.add_row(
            each["server"],
            each["version"],
            str(each["connections"]),
            *(f"{each[name]:,.{digits}f}" for name, digits in (("requestsPerS", 0), ("p50Ms", 1), ("p99Ms", 1))),
        )
    return table


def warning() -> str | None:
    """What is not measured because a package is missing, and how to install it."""
    missing = missing_packages()
    return f"Not measured, because they are not installed: {', '.join(missing)}. To install them: {HOW_TO_INSTALL}" if missing else None


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.servers.side_by_side", description=__doc__)
    parser.add_argument("--turns", type=int, default=6, help="[default: %(default)s]")
    parser.add_argument("--seconds", type=float, default=1.0, help="the length of a turn [default: %(default)s]")
    arguments = parser.parse_args()
    if text := warning():
        print(text, file=sys.stderr)
    Console(width=120).print(servers_table(measure(arguments.turns, arguments.seconds)))


if __name__ == "__main__":
    main()
