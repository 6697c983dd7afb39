"""`make soak`, for seconds: the real server, queue and workers, over moto's server."""

import json
import subprocess
import sys

from tests.support.repository import ROOT


def test_a_short_soak_keeps_its_promises_and_says_what_it_saw(tmp_path):
    output, logs = tmp_path / "soak.json", tmp_path / "logs"
    command = [sys.executable, "-m", "benchmarks.soak", "--minutes", "0.15", "--shards", "16", "--output", output, "--logs", logs]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    seen = json.loads(output.read_text())
    assert [promise["text"] for promise in seen["promises"] if not promise["kept"]] == []
    server, backfill = seen["server"], seen["backfill"]
    assert server["failed"] == 0
    assert sum(server["requests"].values()) > 150
    assert server["latencyMs"]["one frame"]["p50"] > 0
    assert {swap["by"] for swap in server["swaps"]} == {"promote"}
    assert None not in [swap["takenUpS"] for swap in server["swaps"]]
    assert (backfill["shards"], backfill["frames"]) == (16, 16 * 144)
    assert backfill["kills"] >= 1
    assert len(list(logs.glob("worker-*.log"))) == 2 + backfill["kills"]


def test_a_number_of_shards_that_the_coins_cannot_share_is_refused():
    done = subprocess.run([sys.executable, "-m", "benchmarks.soak", "--shards", "18"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "18 is no multiple of 4" in done.stderr
