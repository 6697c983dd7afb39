"""`coinfarm worker`, up to the start of the worker itself."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from handler.worker_settings import WorkerSettings
from tests.support.cli_runner import coinfarm
from tests.support.deployed_stack import FLEET, OUTPUTS
from tests.support.repository import ROOT


@pytest.mark.parametrize("code", [0, 1])
def test_options_become_settings_and_the_exit_code_is_that_of_the_worker(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    started = []

    def worker() -> int:
        settings = WorkerSettings.from_environment(os.environ)
        roots = [os.environ[name] for name in ("MODEL_URI", "CANDLES_ROOT", "RESULTS_ROOT")]
        started.append((settings.queue_url, settings.idle_exit_s, *roots))
        return code

    monkeypatch.setattr("handler.worker.main", worker)
    roots = ["--candles-root", "c", "--results-root", "r"]
    shown = coinfarm("worker", "--queue", "http://127.0.0.1/queue", "--model", "m", "--idle-exit", 5, *roots)
    assert shown.exit_code == code
    assert started == [("http://127.0.0.1/queue", 5, "m", "c", "r")]


def test_requires_a_queue() -> None:
    shown = coinfarm("worker")
    assert shown.exit_code == 1
    assert "--queue" in shown.stderr


@pytest.mark.parametrize(
    ("given", "missing", "words"),
    [
        ({"CANDLES_ROOT": "candles"}, "RESULTS_ROOT", ["-c", "from coinfarm.cli import main; main()", "worker"]),
        ({"RESULTS_ROOT": "r"}, "CANDLES_ROOT", ["-m", "handler.worker"]),
    ],
    ids=["worker", "-m"],
)
def test_requires_roots(given: dict[str, str], missing: str, words: list[str], tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "QUEUE_URL": "http://127.0.0.1:9/queue", **given}
    ended = subprocess.run([sys.executable, *words], env=environment, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ended.returncode == 1
    assert missing in ended.stderr
    assert "Traceback" not in ended.stderr


def test_settings_of_the_stack_take_precedence_over_the_environment(
    deployed: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed()
    monkeypatch.setattr("handler.worker.main", lambda: 0)
    expected = {
        "QUEUE_URL": OUTPUTS["QueueUrl"],
        "MODEL_URI": "s3://models/models/btc",
        "CANDLES_ROOT": "s3://candles",
        "RESULTS_ROOT": "s3://results",
    }
    for name in expected:
        monkeypatch.setenv(name, "another")
    assert coinfarm("--stack", "farm", "worker").exit_code == 0
    assert {name: os.environ[name] for name in expected} == expected


def test_queue_of_the_fleet(deployed: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    deployed(outputs=OUTPUTS | FLEET)
    monkeypatch.setattr("handler.worker.main", lambda: 0)
    assert coinfarm("--stack", "farm", "worker", "--on", "gpu").exit_code == 0
    assert os.environ["QUEUE_URL"] == FLEET["FleetQueueUrl"]


def test_choice_of_a_queue_requires_a_stack() -> None:
    refused = coinfarm("worker", "--on", "gpu")
    assert refused.exit_code == 2
    assert "--stack" in refused.stderr
