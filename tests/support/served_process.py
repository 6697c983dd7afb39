"""`coinfarm serve` in a process of its own."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.repository import ROOT

_START_S = 60


@contextmanager
def serve_process(log: Path, *options: str) -> Iterator[str]:
    """The URL of a server with these options, on a free port, until the block ends. It writes to the file `log`."""
    command = [sys.executable, "-m", "coinfarm", "serve", "--port", "0", *options]
    with log.open("w") as output, subprocess.Popen(command, stdout=output, stderr=output, cwd=ROOT) as process:
        try:
            deadline = time.monotonic() + _START_S
            while not (started := re.search(r"Serving on (http://[\d.:]+)", log.read_text())):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, f"coinfarm serve did not start\n{log.read_text()}"
                time.sleep(0.1)
            yield started[1]
        finally:
            process.terminate()
