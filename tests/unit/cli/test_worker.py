"""`coinfarm worker`, up to the start of the worker itself."""

import os
import subprocess
import sys

import pytest

from handler.worker_settings import WorkerSettings
from tests.support.cli_runner import coinfarm
from tests.support.deployed_stack import FLEET, OUTPUTS
from tests.support.repository import ROOT


@pytest.mark.parametrize("code", [0, 1])
def test_options_become_settings_and_the_exit_code_is_that_of_the_worker(monkeypatch, code):
    started = []

    def worker():
        settings = WorkerSettings.from_environment(os.environ)
        roots = [os.environ[name] for name in ("MODEL_URI", "CANDLES_ROOT", "RESULTS_ROOT")]
        started.append((settings.queue_url, settings.idle_exit_s, *roots))
        return code

    monkeypatch.setattr("handler.worker.main", worker)
    roots = ["--candles-root", "c", "--results-root", "r"]
    shown = coinfarm("worker", "--queue", "http://127.0.0.1/queue", "--model", "m", "--idle-exit", 5, *roots)
    assert shown.exit_code == code
    assert started == [("http://127.0.0.1/queue", 5, "m", "c", "r")]


@pytest.mark.parametrize(("options", "exit_code", "named"), [([], 1, "--queue"), (["--on", "gpu"], 2, "--stack")])
def test_requires_a_queue(options, exit_code, named):
    rejected = coinfarm("worker", *options)
    assert (rejected.exit_code, named in rejected.stderr) == (exit_code, True)


@pytest.mark.parametrize(
    ("given", "missing", "words"),
    [("CANDLES", "RESULTS", ["-c", "from coinfarm.cli import main; main()", "worker"]), ("RESULTS", "CANDLES", ["-m", "handler.worker"])],
    ids=["worker", "-m"],
)
def test_requires_roots(given, missing, words, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "QUEUE_URL": "http://127.0.0.1:9/queue", f"{given}_ROOT": "root"}
    ended = subprocess.run([sys.executable, *words], env=environment, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ended.returncode == 1
    assert f"{missing}_ROOT" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_settings_of_the_stack_take_precedence_over_the_environment(deployed, monkeypatch):
    deployed()
    monkeypatch.setattr("handler.worker.main", lambda: 0)
    roots = {"MODEL_URI": "s3://models/models/btc", "CANDLES_ROOT": "s3://candles", "RESULTS_ROOT": "s3://results"}
    expected = {"QUEUE_URL": OUTPUTS["QueueUrl"], **roots}
    for name in expected:
        monkeypatch.setenv(name, "another")
    assert coinfarm("--stack", "farm", "worker").exit_code == 0
    assert {name: os.environ[name] for name in expected} == expected


def test_queue_of_the_fleet(deployed, monkeypatch):
    deployed(outputs=OUTPUTS | FLEET)
    monkeypatch.setattr("handler.worker.main", lambda: 0)
    assert coinfarm("--stack", "farm", "worker", "--on", "gpu").exit_code == 0
    assert os.environ["QUEUE_URL"] == FLEET["FleetQueueUrl"]
