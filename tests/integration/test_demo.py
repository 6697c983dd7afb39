"""`coinfarm backfill demo`, from start to end and interrupted."""

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

TIMEOUT_S = 300
WINDOWS, TOO_FEW_BEFORE = 1_440, 199
USER_ENVIRONMENT = {
    "AWS_PROFILE": "production",
    "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
    "HTTP_PROXY": "http://127.0.0.1:1",
    "QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/production",
    "RESULTS_ROOT": "s3://production",
}


@contextmanager
def started(*arguments):
    """The demo in its own process group, like in a terminal. The group is killed after the test."""
    start = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from coinfarm.cli import main; main()"
    command = [sys.executable, "-c", start, "backfill", "demo", *map(str, arguments)]  # Ctrl-C may be ignored where the tests run
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | USER_ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if has_processes(process):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def has_processes(process):
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_complete_demo_uses_no_aws_settings_of_the_user(tmp_path):
    with started("--symbols", 1, "--days", 1, "-o", tmp_path / "demo") as demo:
        output, _ = demo.communicate(timeout=TIMEOUT_S)
        assert demo.returncode == 0, output
        assert not has_processes(demo)
    assert "production" not in output
    coverage = json.loads((tmp_path / "demo/coverage.json").read_text())
    assert coverage["total"]["predicted"] == WINDOWS - TOO_FEW_BEFORE == pq.read_metadata(tmp_path / "demo/predictions.parquet").num_rows
    assert f"{WINDOWS - TOO_FEW_BEFORE:,} " in (tmp_path / "demo/report.html").read_text()


@pytest.mark.parametrize(
    ("number", "to_group", "code"),
    [
        pytest.param(signal.SIGINT, True, 130, id="Ctrl-C"),
        pytest.param(signal.SIGTERM, False, 128 + signal.SIGTERM, id="SIGTERM"),
        pytest.param(signal.SIGKILL, False, -signal.SIGKILL, id="SIGKILL"),
    ],
)
def test_interrupted_demo_leaves_no_process(tmp_path, number, to_group, code):
    with started("--symbols", 1, "--days", 8, "-o", tmp_path) as demo:
        assert any("$ coinfarm backfill status" in line for line in demo.stdout)
        (os.killpg if to_group else os.kill)(demo.pid, number)
        output, _ = demo.communicate(timeout=TIMEOUT_S)
        assert demo.returncode == code, output
        deadline = time.monotonic() + TIMEOUT_S
        while has_processes(demo) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not has_processes(demo)
    assert "Traceback" not in output
