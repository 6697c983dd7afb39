"""`python -m benchmarks.live_replay` for three quarters of an hour."""

import json
import subprocess
import sys

from tests.support.repository import ROOT


def test_a_short_replay_equals_a_backfill(tmp_path):
    output = tmp_path / "replay.json"
    command = [sys.executable, "-m", "benchmarks.live_replay", "--minutes", "45", "--speed", "240", "--output", output]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert output.exists(), done.stdout + done.stderr
    result = json.loads(output.read_text())
    assert {name: passed for name, passed in result["checks"].items() if not passed}.keys() <= {"p99 below a second", "memory is flat"}
    assert [each["predicted"] >= 45 for each in result["candles"].values()] == [True] * 3
    assert result["disconnects"] == 3
    assert result["latencyMs"]["p50"] < 1_000
