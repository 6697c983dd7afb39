"""`coinfarm serve` under load: requests for one frame on 1, 8 and 32 connections, alone and next to a client that sends batches.

Run as `python -m benchmarks.serve_load`. With `--against FOLDER`, another checkout of the repository is measured in the same run.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import click
from rich.console import Console

from benchmarks.reference import machine
from benchmarks.soak import child_processes
from coinfarm.cli.tables import numeric_table
from coinfarm.demo.environment import COMMAND_CODE

_HERE = Path(__file__).parents[1]
_BATCH_FRAMES = 100

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


def measure(servers: Sequence[Server], load: Load, turns: int) -> list[dict[str, Figures]]:
    """The figures of `benchmarks.load_client` for each server: of all turns, and of the quietest half."""
    options = ["--connections", load.connections, "--batch", _BATCH_FRAMES if load.with_batches else 0, "--turns", turns]
    command = [sys.executable, "-m", "benchmarks.load_client", *(f"{server.port}:{server.pid}" for server in servers), *map(str, options)]
    done = subprocess.run(command, cwd=_HERE, capture_output=True, text=True)
    if done.returncode:
        raise click.ClickException(done.stderr)
    documents: list[dict[str, Figures]] = json.loads(done.stdout)
    return documents


@click.command(epilog="Example: python -m benchmarks.serve_load --against ../coinfarm-before")
@click.option("--turns", type=click.IntRange(min=2), default=20, show_default=True, help="Turns of a quarter of a second for each load.")
@click.option("--against", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Another checkout, measured in turns.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="A JSON file for all figures.")
def main(turns: int, against: Path | None, output: Path | None) -> None:
    """Measure `coinfarm serve` with the reference model. No prediction comes from the cache.

    The table shows all turns; the file also has the half in which other processes used the least processor time.
    """
    console = Console(width=120)
    measured_on = machine("coinfarm", "openvino", "uvicorn")
    console.print(", ".join(f"{name} {value}" for name, value in measured_on.items()), soft_wrap=True)
    checkouts = {"": _HERE} if against is None else {"before": against.resolve(), "now": _HERE}
    found: dict[str, dict[str, dict[str, Figures]]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="coinfarm-load-")))
        servers = [stack.enter_context(running_server(code, folder / f"{name}.log")) for name, code in checkouts.items()]
        for load in LOADS:
            found[str(load)] = dict(zip(checkouts, measure(servers, load, turns), strict=True))
    _print(console, found)
    if output is not None:
        output.write_text(json.dumps({"machine": measured_on, "loads": found}, indent=2) + "\n")


def _print(console: Console, found: dict[str, dict[str, dict[str, Figures]]]) -> None:
    headers = ("", "requests/s", "p50, ms", "p99, ms", "p99 / p50", "batch frames/s", "cores: server", "client", "others")
    table = numeric_table("Requests for one frame, by connections", "", *headers)
    for load, servers in found.items():
        for name, document in servers.items():
            figures = document["all"]
            table.add_row(
                load,
                name,
                f"{figures['requestsPerS']:,.0f}",
                f"{figures['p50Ms']:.1f}",
                f"{figures['p99Ms']:.1f}",
                f"{figures['p99Ms'] / figures['p50Ms']:.1f}",
                f"{figures['batchFramesPerS']:,.0f}" if figures["batchFramesPerS"] else "",
                *(f"{figures[f'{process}Cores']:.2f}" for process in ("server", "client", "other")),
            )
    console.print(table)


if __name__ == "__main__":
    main()
