"""The run and queue of `coinfarm backfill` commands."""

from collections.abc import Callable

import pytest
from click.testing import Result

Command = Callable[..., Result]


@pytest.mark.parametrize("name", ["submit", "resume", "redrive"])
@pytest.mark.usefixtures("planned")
def test_requires_a_queue(backfill: Command, name: str) -> None:
    refused = backfill(name, "--run", "run")
    assert refused.exit_code == 1
    for option in ("--queue", "QUEUE_URL", "--stack"):
        assert option in refused.stderr


@pytest.mark.parametrize("name", ["run", "submit", "status", "resume", "redrive", "collect"])
def test_missing_run_is_one_line(backfill: Command, name: str) -> None:
    refused = backfill(name, "--run", "nowhere", *(["-o", "all.parquet"] if name == "collect" else []))
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert "coinfarm backfill plan" in refused.stderr
