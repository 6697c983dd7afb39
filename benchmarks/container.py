"""`python -m benchmarks.container IMAGE`: the cold start of the image under the Lambda runtime emulator of its base image.

A cold start is a new container: from the request that starts the runtime to the complete response, without the start of Docker.
"""

import json
import os
import re
import statistics
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from images.docker import Docker

_HERE = Path(__file__).parent
_EVENT = _HERE.parent / "events/api-rest-predictions.json"
_MEMORY_MB = 1769  # Lambda assigns one complete vCPU at this size
_STARTS = 5
_WARM = 200


def main(image: str) -> None:
    """Measure, print the results, and write container.json to this folder."""
    starts, warm_ms, peak_mb = [], [], []
    event = _EVENT.read_bytes()
    for _ in range(_STARTS):
        with running(image, "--memory", f"{_MEMORY_MB}m") as function:
            starts.append(_seconds(function, event))
            warm_ms = sorted(1000 * _seconds(function, event) for _ in range(_WARM))
            peak_mb.append(function.peak_mb())
    results = {
        "memoryLimitMb": _MEMORY_MB,
        "coldStartS": {"median": statistics.median(starts), "each": starts},
        "warmRequestMs": {"p50": warm_ms[_WARM // 2], "p99": warm_ms[_WARM * 99 // 100]},
        "peakMb": max(peak_mb),
    }
    (_HERE / "container.json").write_text(json.dumps(results, indent=2) + "\n")
    print(
        f"cold start {statistics.median(starts):.2f} s (of {_STARTS}: {min(starts):.2f} to {max(starts):.2f}), "
        f"warm request through the emulator p50 {warm_ms[_WARM // 2]:.1f} ms, p99 {warm_ms[_WARM * 99 // 100]:.1f} ms, "
        f"peak {max(peak_mb):.0f} MB of the {_MEMORY_MB} allowed"
    )


@dataclass(frozen=True)
class Function:
    """A running container, in which the emulator waits for events."""

    name: str
    url: str
    docker: Docker

    def invoke(self, event: bytes) -> Any:
        """Send an event, and return the parsed response."""
        with urllib.request.urlopen(urllib.request.Request(self.url, event), timeout=120) as response:
            return json.loads(response.read())

    def peak_mb(self) -> float:
        """The peak memory of the largest process, according to the kernel."""
        statuses = self.docker.call("exec", self.name, "sh", "-c", "cat /proc/[0-9]*/status").decode()
        return max(int(kilobytes) for kilobytes in re.findall(r"VmHWM:\s+(\d+) kB", statuses)) / 1000


@contextmanager
def running(image: str, *flags: str, environment: Mapping[str, str] = os.environ) -> Iterator[Function]:
    """Run the image with additional flags of `docker run`. `environment` is that of the docker command."""
    docker = Docker(environment)
    name = docker.call("run", "--detach", "--rm", "--publish", "127.0.0.1:0:8080", *flags, image).decode().strip()
    try:
        port = docker.call("port", name, "8080").decode().strip().rpartition(":")[2]
        time.sleep(1)  # until the emulator listens; the runtime starts with the first request
        yield Function(name, f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations", docker)
    finally:
        docker.call("rm", "--force", name)


def _seconds(function: Function, event: bytes) -> float:
    started = time.perf_counter()
    response = function.invoke(event)
    if response.get("statusCode") != 200:
        raise SystemExit(f"the container responds with {str(response)[:500]}")
    return time.perf_counter() - started


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "coinfarm:latest")
    except click.ClickException as error:
        raise SystemExit(error.message) from None
