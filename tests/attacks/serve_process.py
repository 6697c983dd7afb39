"""`coinfarm serve` on a free port, and its memory."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.support.demo_requests import demo_request


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

    def reset_peak(self) -> int:
        """Reset the peak; return the current memory in MB."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        return self._status_mb("VmRSS")

    @property
    def peak_mb(self) -> int:
        """The peak memory since the last reset."""
        return self._status_mb("VmHWM")

    def _status_mb(self, field: str) -> int:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) // 1024 for line in lines if line.startswith(f"{field}:"))


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
