"""`coinfarm serve` as a user starts it, on a free port, and what becomes of its memory."""

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
    """A server that answers at `url`."""

    process: "subprocess.Popen[str]"
    url: str
    port: int

    def check_alive(self) -> None:
        """It still predicts what it is asked."""
        assert self.process.poll() is None
        answer = requests.post(f"{self.url}/predictions", json=demo_request(), timeout=10)
        assert answer.status_code == 200
        assert len(answer.json()["results"]) == 1

    def forget_peak(self) -> int:
        """Begin to measure anew; the memory of now, in MB."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        return self._status_mb("VmRSS")

    @property
    def peak_mb(self) -> int:
        """The most memory since."""
        return self._status_mb("VmHWM")

    def _status_mb(self, field: str) -> int:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) // 1024 for line in lines if line.startswith(f"{field}:"))


@contextmanager
def serving(folder: Path) -> Iterator[ServeProcess]:
    """The server, once it takes requests."""
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
        said = ""
        while not (running := re.search(r"http://127\.0\.0\.1:(\d+)", said)):
            line = process.stderr.readline()
            assert line, f"the server did not start: {said}"
            said += line
        threading.Thread(target=process.stderr.read, daemon=True).start()  # a pipe that is full would stop it
        yield ServeProcess(process, running[0], int(running[1]))
    finally:
        process.terminate()
        process.wait(20)
        process.stderr.close()
