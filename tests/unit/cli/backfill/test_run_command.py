"""`coinfarm backfill run`, without the run itself: see tests/unit/backfill/test_local_run.py."""

import json
from collections.abc import Callable
from datetime import date

import pytest
from click.testing import Result

from coinfarm.backfill.local_run import RunProgress
from coinfarm.backfill.shard import Shard

Command = Callable[..., Result]


@pytest.mark.parametrize(
    ("progress", "exit_code", "text"),
    [
        pytest.param(RunProgress(shards=3, done=3, frames=2681), 0, "3 of 3 shards done; 2,681 frames", id="done"),
        pytest.param(
            RunProgress(shards=3, done=2, failed={Shard("DEMOUSD", "1m", date(2026, 1, 2)): "damaged"}),
            1,
            "failed: DEMOUSD 1m 2026-01-02: damaged",
            id="failed",
        ),
        pytest.param(RunProgress(shards=3, done=2, stopped=True), 130, "coinfarm backfill run --run run", id="stopped"),
    ],
)
@pytest.mark.usefixtures("planned")
def test_summary_and_exit_code(
    backfill: Command, monkeypatch: pytest.MonkeyPatch, progress: RunProgress, exit_code: int, text: str
) -> None:
    calls = []

    def run_locally(root: str, shards: list[Shard], processes: int, on_progress: Callable[[RunProgress], None]) -> RunProgress:
        calls.append((root, len(shards), processes))
        on_progress(progress)
        return progress

    monkeypatch.setattr("coinfarm.backfill.local_run.run_locally", run_locally)
    ran = backfill("run", "--run", "run", "--processes", 64)
    assert (ran.exit_code, calls) == (exit_code, [("run", 3, 3)]), ran.output
    assert text in ran.output
    document = json.loads(backfill("run", "--run", "run", "--json").stdout)
    assert (document["done"], document["stopped"], len(document["failed"])) == (progress.done, progress.stopped, len(progress.failed))
