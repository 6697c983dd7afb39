"""`coinfarm worker`, up to where the worker itself begins."""

import os

import pytest
from click.testing import CliRunner

from coinfarm.cli import main
from handler.worker_settings import WorkerSettings


@pytest.mark.parametrize("code", [0, 1])
def test_options_become_settings_and_the_exit_code_is_the_workers(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    started = []

    def worker() -> int:
        started.append((WorkerSettings.from_environment(os.environ), os.environ["MODEL_URI"]))
        return code

    monkeypatch.setattr("handler.worker.main", worker)
    shown = CliRunner().invoke(main, ["worker", "--queue", "http://127.0.0.1/queue", "--model", "models", "--idle-exit", "5"])
    assert shown.exit_code == code
    ((settings, model_uri),) = started
    assert (settings.queue_url, settings.idle_exit_s, model_uri) == ("http://127.0.0.1/queue", 5, "models")


def test_without_a_queue_it_says_so() -> None:
    shown = CliRunner().invoke(main, ["worker"])
    assert shown.exit_code == 1
    assert shown.stderr == "Error: QUEUE_URL is not set\n"
