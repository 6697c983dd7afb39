"""`coinfarm backfill collect`."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Command = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("planned")


def test_prints_the_outcome_of_every_window(backfill: Command) -> None:
    shown = backfill("collect", "--run", "run", "-o", "all.parquet")
    assert shown.exit_code == 3
    assert "4,320" in shown.stdout
    assert "DEMOUSD 1m 2026-01-01" in shown.stdout
    assert Path("all.parquet").exists()


def test_rejects_other_formats(backfill: Command) -> None:
    refused = backfill("collect", "--run", "run", "-o", "all.csv")
    assert refused.exit_code == 2
    assert "Parquet" in refused.stderr
    assert not Path("all.csv").exists()
