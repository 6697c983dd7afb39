"""The watcher's processes: the first one is killed, a second one goes on."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

import psutil

from benchmarks.soak.process_metrics import ProcessMetrics, measure_process

REFRESH_S = 1
_SAMPLE_S = 1.0


class Line(NamedTuple):
    """A line of a process, and when it arrived, as of `time.monotonic`."""

    symbol: str
    open_time: int
    close_time: int
    arrived_s: float


class WatchedProcess:
    """A process of `replayed_watcher`, whose output and memory are recorded."""

    def __init__(self, url: str, store: Path, models: str, speed: float, symbols: tuple[str, ...], log: Path) -> None:
        settings = {"MODEL_URI": models, "MODEL_REFRESH_S": str(REFRESH_S), "MODEL_CACHE_DIR": str(store.with_name("cache"))}
        self.lines: list[Line] = []
        self.metrics: list[ProcessMetrics] = []
        command = [sys.executable, "-m", "benchmarks.live_replay.replayed_watcher", url, str(store), str(speed), *symbols]
        with log.open("w") as errors:
            self._process = subprocess.Popen(command, env=os.environ | settings, stdout=subprocess.PIPE, stderr=errors, text=True)
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._read, self._measure)]
        for thread in self._threads:
            thread.start()

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """As a crash or a lack of memory would."""
        self._process.kill()
        self._wait()

    def terminate(self) -> int:
        """Ask the process to end, and return its exit code."""
        self._process.terminate()
        return self._wait()

    def _wait(self) -> int:
        code = self._process.wait(30)
        for thread in self._threads:
            thread.join(10)
        return code

    def _read(self) -> None:
        assert self._process.stdout is not None
        for text in self._process.stdout:
            arrived_s = time.monotonic()
            if text.endswith("\n"):
                message = json.loads(text)
                self.lines.append(Line(message["symbol"], message["candle"]["openTime"], message["closeTime"], arrived_s))

    def _measure(self) -> None:
        process = psutil.Process(self._process.pid)
        try:
            while self.is_running:
                self.metrics.append(measure_process(process))
                time.sleep(_SAMPLE_S)
        except psutil.Error:
            pass  # it ended meanwhile
