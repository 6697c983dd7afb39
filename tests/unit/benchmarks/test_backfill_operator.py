"""The operator of the backfill's soak test."""

import time
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.soak import backfill_operator
from benchmarks.soak.backfill_operator import BackfillOperator
from benchmarks.soak.backfill_result import INVALID_MESSAGES

RUN: Any = SimpleNamespace(storage=SimpleNamespace(uri=lambda: "s3://results/run"))
WORKERS: Any = SimpleNamespace(kill_and_restart=lambda: None)


def operator(monkeypatch, status, commands):
    """An operator that finds `status()` in each poll, and appends the commands that it runs to `commands`."""
    monkeypatch.setattr(backfill_operator, "StatusMonitor", lambda *_: SimpleNamespace(status=status))
    monkeypatch.setattr(backfill_operator, "_STATUS_EVERY_S", 0)
    queue = SimpleNamespace()
    return BackfillOperator(lambda *arguments: commands.append(arguments), RUN, queue, queue, WORKERS, lambda *_: None)


@pytest.mark.parametrize(
    ("dead_lettered", "command", "counts"),
    [
        pytest.param(len(INVALID_MESSAGES) + 2, "redrive", {"redrives": 1, "valid_dead_letters": 2, "lost": 0}, id="valid dead letters"),
        pytest.param(len(INVALID_MESSAGES), "resume", {"redrives": 0, "valid_dead_letters": 0, "lost": 2}, id="lost messages"),
    ],
)
def test_intervenes_when_the_queue_stays_empty(dead_lettered, command, counts, monkeypatch):
    commands = []
    idle = SimpleNamespace(is_complete=False, is_idle=True, done=38, shards=40, dead_lettered=dead_lettered)
    done = SimpleNamespace(is_complete=True, is_idle=False, done=40, shards=40, dead_lettered=len(INVALID_MESSAGES))
    tested = operator(monkeypatch, lambda: done if commands else idle, commands)
    tested.wait_until_done(time.monotonic())
    assert commands == [("backfill", command, "--run", "s3://results/run")]
    assert {name: getattr(tested, name) for name in counts} == counts


def test_gives_up_after_the_timeout(monkeypatch):
    stuck = SimpleNamespace(is_complete=False, is_idle=False, done=38, shards=40, dead_lettered=0)
    started_s = time.monotonic() - 2 * backfill_operator._TIMEOUT_S
    assert operator(monkeypatch, lambda: stuck, []).wait_until_done(started_s) >= 2 * backfill_operator._TIMEOUT_S
