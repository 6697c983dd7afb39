"""`coinfarm serve` on a free port, and its memory."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.support.demo_requests import demo_request


@contextmanager
def limit_memory(process: int | str, max_mb: int) -> Iterator[None]:
    """Assert that the peak memory of the process grows by at most that many megabytes within the block."""
    Path(f"/proc/{process}/clear_refs").write_text("5")  # resets the peak

    def status_mb(field: str) -> int:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        return next(int(line.split()[1]) // 1024 for line in lines if line.startswith(f"{field}:"))

    before_mb = status_mb("VmRSS")
    yield
    assert status_mb("VmHWM") - before_mb < max_mb


@dataclass
class ServeProcess:
    """A running server at `url`."""

    process: "subprocess.Popen[str]"
    url: str
    port: int

    def check_alive(self) -> None:
        """Assert that the server still predicts."""
        assert self.process.poll() is None
        response = requests.post(f"{self.url}/predictions", json=demo_request(), timeout=10)
        assert response.status_code == 200
        assert len(response.json()["results"]) == 1

    def limit_memory(self, max_mb: int) -> AbstractContextManager[None]:
        return limit_memory(self.process.pid, max_mb)


@contextmanager
def serving(folder: Path) -> Iterator[ServeProcess]:
    """Start the server and wait until it accepts requests."""
    environment = {**os.environ, "MODEL_CACHE_DIR": str(folder / "cache"), "POWERTOOLS_LOG_LEVEL": "ERROR"}
    environment.pop("MODEL_URI", None)
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("coinfarm")), "serve", "--port", "0"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        output = ""
        while not (running := re.search(r"http://127\.0\.0\.1:(\d+)", output)):
            line = process.stderr.readline()
            assert line, f"the server did not start: {output}"
            output += line
        threading.Thread(target=process.stderr.read, daemon=True).start()  # a full pipe would block the server
        yield ServeProcess(process, running[0], int(running[1]))
    finally:
        process.terminate()
        process.wait(20)
        process.stderr.close()
