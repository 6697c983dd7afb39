"""`coinfarm serve` under load: requests for one frame on 1, 8 and 32 connections, alone and next to a client that sends batches.

Run as `python -m benchmarks.serve_load`. With `--against FOLDER`, another checkout of the repository is measured in the same run.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import click
from rich.console import Console

from benchmarks.reference import machine
from benchmarks.soak import child_processes
from coinfarm.cli.tables import numeric_table
from coinfarm.demo.environment import COMMAND_CODE

_HERE = Path(__file__).parents[1]
_BATCH_FRAMES = 100
_WARM_UP_S = 0.5

Figures = dict[str, float]


class Load(NamedTuple):
    """Connections that each request one frame at a time, and perhaps a connection that requests batches."""

    connections: int
    with_batches: bool = False

    def __str__(self) -> str:
        return f"{self.connections}{f' and batches of {_BATCH_FRAMES}' if self.with_batches else ''}"


LOADS = (Load(1), Load(8), Load(32), Load(1, with_batches=True), Load(8, with_batches=True))


class Server(NamedTuple):
    """A running `coinfarm serve`."""

    port: int
    pid: int


@contextmanager
def running_server(code: Path, log: Path) -> Iterator[Server]:
    """Start the server of a checkout, with its default settings."""
    command = [sys.executable, "-c", COMMAND_CODE, "serve", "--port", "0"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=code, env=os.environ | {"PYTHONPATH": str(code)}, stdout=output, stderr=output)
    with child_processes.terminated(process):
        url = re.search(r":(\d+) ", child_processes.wait_for_log_line("Serving on", log, process))
        assert url is not None
        yield Server(int(url[1]), process.pid)


def measure(server: Server, load: Load, seconds: float) -> Figures:
    """The figures of `benchmarks.load_client`, and `batchFramesPerS`."""
    with ExitStack() as stack:
        batches = None
        if load.with_batches:  # it starts before and ends after the others
            batches = stack.enter_context(_client(server, 1, _BATCH_FRAMES, seconds + 2 * _WARM_UP_S))
        figures = _figures(stack.enter_context(_client(server, load.connections, 1, seconds)))
        return figures if batches is None else figures | {"batchFramesPerS": _BATCH_FRAMES * _figures(batches)["requestsPerS"]}


def _client(server: Server, connections: int, frames: int, seconds: float) -> "subprocess.Popen[str]":
    options = {"--connections": connections, "--frames": frames, "--seconds": seconds, "--warm-up": _WARM_UP_S}
    command = [sys.executable, "-m", "benchmarks.load_client", *server, *(part for option in options.items() for part in option)]
    return subprocess.Popen([str(part) for part in command], cwd=_HERE, stdout=subprocess.PIPE, text=True)


def _figures(client: "subprocess.Popen[str]") -> Figures:
    output, _ = client.communicate()
    if client.returncode:
        raise click.ClickException("a client failed")
    figures: Figures = json.loads(output)
    return figures


def quietest(rounds: list[Figures]) -> Figures:
    """The round in which other processes used the least processor time."""
    return min(rounds, key=lambda figures: figures["otherCores"])


@click.command(epilog="Example: python -m benchmarks.serve_load --rounds 5 --against ../coinfarm-before")
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True, help="Rounds, of which the quietest counts.")
@click.option("--seconds", type=click.FloatRange(min=0.1), default=3.0, show_default=True, help="The length of a measurement.")
@click.option("--against", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Another checkout, measured in turn.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="A JSON file for the figures of all rounds.")
def main(rounds: int, seconds: float, against: Path | None, output: Path | None) -> None:
    """Measure `coinfarm serve` with the reference model; the prediction cache never has a frame."""
    console = Console(width=120)
    measured_on = machine("coinfarm", "openvino", "uvicorn")
    console.print(", ".join(f"{name} {value}" for name, value in measured_on.items()), soft_wrap=True)
    checkouts = {"": _HERE} if against is None else {"before": against.resolve(), "now": _HERE}
    found: dict[str, list[dict[str, Any]]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="coinfarm-load-")))
        servers = {name: stack.enter_context(running_server(code, folder / f"{name}.log")) for name, code in checkouts.items()}
        for load in LOADS:
            measured: dict[str, list[Figures]] = {name: [] for name in servers}
            for _ in range(rounds):
                for name, server in servers.items():
                    measured[name].append(measure(server, load, seconds))
            found[str(load)] = [{"server": name, "rounds": each} for name, each in measured.items()]
    _print(console, found)
    if output is not None:
        output.write_text(json.dumps({"machine": measured_on, "loads": found}, indent=2) + "\n")


def _print(console: Console, found: dict[str, list[dict[str, Any]]]) -> None:
    headers = ("", "requests/s", "p50, ms", "p99, ms", "p99 / p50", "batch frames/s", "cores: server", "client", "others")
    table = numeric_table("Requests for one frame, by connections", "", *headers)
    for load, servers in found.items():
        for each in servers:
            figures = quietest(each["rounds"])
            table.add_row(
                load,
                each["server"],
                f"{figures['requestsPerS']:,.0f}",
                f"{figures['p50Ms']:.1f}",
                f"{figures['p99Ms']:.1f}",
                f"{figures['p99Ms'] / figures['p50Ms']:.1f}",
                f"{figures['batchFramesPerS']:,.0f}" if "batchFramesPerS" in figures else "",
                *(f"{figures[name]:.2f}" for name in ("serverCores", "clientCores", "otherCores")),
            )
    console.print(table)


if __name__ == "__main__":
    main()
