"""`make soak` for a few seconds: the real server, queue and workers, over moto's server."""

import json
import subprocess
import sys

from tests.support.repository import ROOT


def test_short_soak_passes_all_checks(tmp_path):
    output, logs = tmp_path / "soak.json", tmp_path / "logs"
    command = [sys.executable, "-m", "benchmarks.soak", "--minutes", "0.15", "--shards", "16", "--output", output, "--logs", logs]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads(output.read_text())
    assert [check["name"] for check in document["checks"] if not check["passed"]] == []
    server, backfill = document["server"], document["backfill"]
    assert server["failed"] == 0
    assert sum(server["requests"].values()) > 150
    assert None not in [switch["delayS"] for switch in server["switches"]]
    assert (backfill["shards"], backfill["frames"]) == (16, 16 * 144)
    assert backfill["kills"] >= 1
    assert len(list(logs.glob("worker-*.log"))) == 2 + backfill["kills"]
