"""`coinfarm backfill demo` as a user starts it, and stops it."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pyarrow.parquet as pq
import pytest

from tests.support.repository import ROOT

PATIENCE_S = 300
WINDOWS, FIRST_WINDOW = 1_440, 199
NOT_FOR_THE_DEMO = {
    "AWS_PROFILE": "production",
    "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
    "HTTP_PROXY": "http://127.0.0.1:1",
    "QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/production",
    "RESULTS_ROOT": "s3://production",
}


@contextmanager
def started(*arguments):
    """The demo, the leader of a group of processes, as a terminal would start it; none of them survives the test."""
    command = [sys.executable, "-c", "from coinfarm.cli import main; main()", "backfill", "demo", *map(str, arguments)]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | NOT_FOR_THE_DEMO,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if is_anyone_left(process):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def is_anyone_left(process):
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_demo_shows_a_whole_backfill_and_touches_no_aws_of_the_user(tmp_path):
    with started("--symbols", 1, "--days", 1, "-o", tmp_path / "demo") as demo:
        said, _ = demo.communicate(timeout=PATIENCE_S)
        assert demo.returncode == 0, said
        assert not is_anyone_left(demo)
    for command in (
        "history generate",
        "model publish",
        "backfill plan",
        "backfill submit",
        "backfill status",
        "backfill collect",
    ):
        assert f"$ coinfarm {command} " in said
    workers = [line for line in said.splitlines() if " coinfarm worker " in line]
    assert len(workers) == 2
    for setting in ("--candles-root $CANDLES", "--results-root $RESULTS", "MODEL_CACHE_DIR=", "RECEIVE_WAIT_S=1", "HEALTH_FILE="):
        assert all(setting in line for line in workers), "no setting is hidden"
    assert "export AWS_ENDPOINT_URL=http://127.0.0.1:" in said
    assert f"{WINDOWS:,} windows requested: {WINDOWS - FIRST_WINDOW:,} predicted; {FIRST_WINDOW} too few before" in said
    assert "production" not in said
    coverage = json.loads((tmp_path / "demo/coverage.json").read_text())
    assert coverage["total"]["predicted"] == WINDOWS - FIRST_WINDOW == pq.read_metadata(tmp_path / "demo/predictions.parquet").num_rows
    report = (tmp_path / "demo/report.html").read_text()
    assert f"{WINDOWS - FIRST_WINDOW:,} windows predicted" in report
    assert "DeadLetterQueue" in report


@pytest.mark.parametrize(
    ("number", "of_the_group", "code"),
    [
        pytest.param(signal.SIGINT, True, 130, id="Ctrl-C"),
        pytest.param(signal.SIGTERM, False, 128 + signal.SIGTERM, id="SIGTERM"),
        pytest.param(signal.SIGKILL, False, -signal.SIGKILL, id="SIGKILL"),
    ],
)
def test_a_demo_that_is_stopped_leaves_no_process(tmp_path, number, of_the_group, code):
    with started("--symbols", 1, "--days", 20, "-o", tmp_path) as demo:
        assert any("$ coinfarm backfill status" in line for line in demo.stdout)
        (os.killpg if of_the_group else os.kill)(demo.pid, number)
        said, _ = demo.communicate(timeout=PATIENCE_S)
        assert demo.returncode == code, said
        deadline = time.monotonic() + PATIENCE_S
        while is_anyone_left(demo) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not is_anyone_left(demo)
    assert "Traceback" not in said


def test_a_demo_without_a_template_says_what_to_do(tmp_path):
    with started("--template", tmp_path / "none.yaml", "-o", tmp_path) as demo:
        said, _ = demo.communicate(timeout=PATIENCE_S)
        assert demo.returncode == 1
    assert "name the template.yaml of a checkout or a source distribution with --template" in said
    assert "Traceback" not in said
