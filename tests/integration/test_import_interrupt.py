"""Ctrl-C during `coinfarm history import`."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.candles.synthetic import START_OF_2026_MS, generate
from tests.support.repository import ROOT

DAYS = 3000
START = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from coinfarm.cli import main; main()"
"""Tests that run in the background start with Ctrl-C ignored."""
COMMAND = [sys.executable, "-c", START, "history", "import", "--symbol", "DEMOUSD", "--store", "store"]
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "PATH": ""}


def stored(folder: Path) -> list[Path]:
    return list(folder.glob("store/candles/**/date=*.parquet"))


def test_what_is_stored_is_kept_and_the_same_command_continues(tmp_path: Path) -> None:
    candles = generate("DEMOUSD", "1h", START_OF_2026_MS, DAYS * 24, seed=1)
    (tmp_path / "DEMOUSD-1h.parquet").write_bytes(parquet_from_candles(candles))
    command = [*COMMAND, "DEMOUSD-1h.parquet"]
    with subprocess.Popen(command, cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and not stored(tmp_path):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert len(errors.strip().splitlines()) == 1
    assert "Traceback" not in errors
    count = len(stored(tmp_path))
    assert 0 < count < DAYS
    assert not list(tmp_path.rglob(".*")), "nothing half-written"
    again = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=True, timeout=300)
    assert len(stored(tmp_path)) == DAYS
    assert f"{DAYS - count:,} new" in again.stdout
    assert f"{count:,} same" in again.stdout


def test_standard_input_that_is_still_coming_is_dropped(tmp_path: Path) -> None:
    environment = ENVIRONMENT | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [*COMMAND, "-"], cwd=tmp_path, env=environment, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        process.stdin.write("1577836800000,1,1,1,1,1\n" * 100_000)  # more than a pipe holds, so it is being read
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert len(errors.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
