"""Measurements in a separate process: cold start, warm request, memory. Run as `python -m benchmarks.handler_processes NAME`."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from coinfarm.candles.json_rows import rows_from_candles
from image_render.spec import STANDARD

_STARTED_NS = "COINFARM_BENCH_STARTED_NS"


def measure(name: str, model_uri: str, engine: str = "auto") -> dict[str, Any]:
    """Measure in a new process. The time is measured from before its start."""
    environment = {
        **os.environ,
        "MODEL_URI": model_uri,
        "ENGINE": engine,
        "PREDICTION_CACHE_FRAMES": "0",
        "POWERTOOLS_LOG_LEVEL": "CRITICAL",
        "POWERTOOLS_METRICS_DISABLED": "true",
        _STARTED_NS: str(time.monotonic_ns()),
    }
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.handler_processes", name], env=environment, capture_output=True, text=True, check=True
    )
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def cold_start() -> dict[str, Any]:
    """From the start of a process to the first response for one frame."""
    body, _ = _requests(1)
    _post(body)
    seconds = (time.monotonic_ns() - int(os.environ[_STARTED_NS])) / 1e9
    return {"cold_start_s": seconds, "tensorflow": "tensorflow" in sys.modules}


def warm_request() -> dict[str, Any]:
    """Sequential events of 200 candles each, including JSON, without prediction cache."""
    body, bodies = _requests(300)
    _post(body)
    taken_ms = []
    for body in bodies:
        started = time.perf_counter()
        _post(body)
        taken_ms.append((time.perf_counter() - started) * 1000)
    taken_ms.sort()
    return {"p50_ms": taken_ms[len(taken_ms) // 2], "p99_ms": taken_ms[int(len(taken_ms) * 0.99)]}


def memory() -> dict[str, Any]:
    """The peak memory of the process while it serves ten batches of 100 frames."""
    body, _ = _requests(1, frames=100)
    for _ in range(10):
        _post(body)
    # Not getrusage, whose maximum includes that of the parent when it forked.
    peak_kb = next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return {"peak_mb": peak_kb / 1024}


def _requests(count: int, frames: int = 1) -> tuple[str, list[str]]:
    """A first request and `count` others, each a minute later. Synthetic, so that no file is read during the measurement."""
    from coinfarm.candles.synthetic import START_OF_2026_MS, generate

    length = STANDARD.window_candles + frames - 1
    rows = rows_from_candles(generate("DEMOUSD", "1m", START_OF_2026_MS, length + count, seed=3))
    bodies = [json.dumps({"symbol": "DEMOUSD", "interval": "1m", "candles": rows[at : at + length]}) for at in range(count + 1)]
    return bodies[0], bodies[1:]


def _post(body: str) -> None:
    from handler.app import lambda_handler
    from handler.local_events import LocalContext, http_event

    event = http_event("POST", "/predictions", headers={"content-type": "application/json"}, body=body.encode())
    response = lambda_handler(event, LocalContext())
    if response["statusCode"] != 200:
        raise RuntimeError(response["body"])


if __name__ == "__main__":
    print(json.dumps({"cold_start": cold_start, "warm_request": warm_request, "memory": memory}[sys.argv[1]]()))
