"""`python -m benchmarks.container IMAGE`: the cold start in the real image, under the Lambda runtime emulator that its base brings.

A cold start is a new container: from the request that starts the runtime to its whole answer. Docker's own start is not in it.
"""

import json
import re
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HERE = Path(__file__).parent
_EVENT = _HERE.parent / "events/api-rest-predictions.json"
_MEMORY_MB = 1769  # Lambda gives one whole processor with it
_STARTS = 5
_WARM = 200


def main(image: str) -> None:
    """Measure, print, and leave container.json beside this file."""
    starts, warm_ms, peak_mb = [], [], []
    for _ in range(_STARTS):
        with _container(image) as (name, url):
            starts.append(_seconds(url))
            warm_ms = sorted(1000 * _seconds(url) for _ in range(_WARM))
            peak_mb.append(_peak_mb(name))
    found = {
        "memoryLimitMb": _MEMORY_MB,
        "coldStartS": {"median": statistics.median(starts), "each": starts},
        "warmRequestMs": {"p50": warm_ms[_WARM // 2], "p99": warm_ms[_WARM * 99 // 100]},
        "peakMb": max(peak_mb),
    }
    (_HERE / "container.json").write_text(json.dumps(found, indent=2) + "\n")
    print(
        f"cold start {statistics.median(starts):.2f} s (of {_STARTS}: {min(starts):.2f} to {max(starts):.2f}), "
        f"warm request through the emulator p50 {warm_ms[_WARM // 2]:.1f} ms, p99 {warm_ms[_WARM * 99 // 100]:.1f} ms, "
        f"peak {max(peak_mb):.0f} MB of the {_MEMORY_MB} allowed"
    )


@contextmanager
def _container(image: str) -> Iterator[tuple[str, str]]:
    name = _docker("run", "--detach", "--rm", "--memory", f"{_MEMORY_MB}m", "--publish", "127.0.0.1:0:8080", image).strip()
    try:
        port = _docker("port", name, "8080").strip().rpartition(":")[2]
        time.sleep(1)  # the emulator begins to listen; the runtime starts with the first request
        yield name, f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    finally:
        _docker("rm", "--force", name)


def _seconds(url: str) -> float:
    request = urllib.request.Request(url, _EVENT.read_bytes())
    started = time.perf_counter()
    with urllib.request.urlopen(request, timeout=60) as response:
        answer = json.loads(response.read())
    if answer.get("statusCode") != 200:
        raise SystemExit(f"the container answers {str(answer)[:500]}")
    return time.perf_counter() - started


def _peak_mb(name: str) -> float:
    """Of the largest process, as the kernel remembers it."""
    statuses = _docker("exec", name, "sh", "-c", "cat /proc/[0-9]*/status")
    return max(int(kilobytes) for kilobytes in re.findall(r"VmHWM:\s+(\d+) kB", statuses)) / 1000


def _docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"docker {arguments[0]}: {done.stderr.strip()}")
    return done.stdout


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "coinfarm:latest")
