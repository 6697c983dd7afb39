"""`coinfarm worker`, up to the start of the worker itself."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from coinfarm.cli import main
from handler.worker_settings import WorkerSettings
from tests.support.repository import ROOT


@pytest.mark.parametrize("code", [0, 1])
def test_options_become_settings_and_the_exit_code_is_that_of_the_worker(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    started = []

    def worker() -> int:
        started.append((WorkerSettings.from_environment(os.environ), os.environ["MODEL_URI"]))
        return code

    monkeypatch.setattr("handler.worker.main", worker)
    shown = CliRunner().invoke(main, ["worker", "--queue", "http://127.0.0.1/queue", "--model", "models", "--idle-exit", "5"])
    assert shown.exit_code == code
    ((settings, model_uri),) = started
    assert (settings.queue_url, settings.idle_exit_s, model_uri) == ("http://127.0.0.1/queue", 5, "models")


def test_requires_a_queue() -> None:
    shown = CliRunner().invoke(main, ["worker"])
    assert shown.exit_code == 1
    assert "--queue" in shown.stderr


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "CANDLES_ROOT and RESULTS_ROOT"),
        ({"CANDLES_ROOT": "candles"}, "RESULTS_ROOT"),
        ({"RESULTS_ROOT": "r"}, "CANDLES_ROOT"),
    ],
)
@pytest.mark.parametrize(
    "words", [["-c", "from coinfarm.cli import main; main()", "worker"], ["-m", "handler.worker"]], ids=["worker", "-m"]
)
def test_requires_roots(given: dict[str, str], missing: str, words: list[str], tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "QUEUE_URL": "http://127.0.0.1:9/queue", **given}
    ended = subprocess.run([sys.executable, *words], env=environment, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ended.returncode == 1
    assert missing in ended.stderr
    assert "Traceback" not in ended.stderr


def test_roots_as_options(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("handler.worker.main", lambda: found.append((os.environ["CANDLES_ROOT"], os.environ["RESULTS_ROOT"])) or 0)
    words = ["worker", "--queue", "http://127.0.0.1/queue", "--candles-root", "candles", "--results-root", "results"]
    assert CliRunner().invoke(main, words).exit_code == 0
    assert found == [("candles", "results")]
