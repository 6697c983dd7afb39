"""The run and queue of `coinfarm backfill` commands."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.support.candle_stores import stored, synthetic_history

Command = Callable[..., Result]


@pytest.mark.parametrize("name", ["submit", "resume", "redrive"])
@pytest.mark.usefixtures("planned")
def test_requires_a_queue(backfill: Command, name: str) -> None:
    refused = backfill(name, "--run", "run")
    assert (refused.exit_code, "--queue" in refused.stderr) == (1, True)


@pytest.mark.parametrize("name", ["run", "submit", "status", "resume", "redrive", "collect"])
def test_missing_run_is_one_line(backfill: Command, name: str) -> None:
    refused = backfill(name, "--run", "nowhere", *(["-o", "all.parquet"] if name == "collect" else []))
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert "coinfarm backfill plan" in refused.stderr


@pytest.mark.parametrize(
    ("candles", "options", "named"),
    [
        pytest.param("mine", [], "mine", id="candles that Lambda cannot read"),
        pytest.param("candles", ["--on", "gpu"], "fleet", id="no fleet"),
    ],
)
@pytest.mark.usefixtures("stack_model")
def test_run_that_the_stack_cannot_process_is_not_submitted(
    deployed: Callable[..., list[str]], on_stack: Command, tmp_path: Path, candles: str, options: list[str], named: str
) -> None:
    deployed()
    stored(tmp_path / candles, synthetic_history(2))
    period = ["--symbol", "DEMOUSD", "--from", "2026-01-01", "--to", "2026-01-04"]
    planned = on_stack("backfill", "plan", *period, "--store", tmp_path / candles, "--run", "x", "--frames-per-s", 2000, *options)
    assert planned.exit_code == 0, planned.output
    refused = on_stack("backfill", "submit", "--run", "x")
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert "stack farm" in refused.stderr
    assert named in refused.stderr
