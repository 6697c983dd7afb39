"""A runner for `coinfarm backfill`, over two days of candles and a model that predicts a constant."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.support.candle_stores import stored, synthetic_history
from tests.support.cli_runner import coinfarm


@pytest.fixture
def backfill(constant_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `coinfarm backfill ARGUMENTS` in a folder with a candle store of two days."""
    for name in ("QUEUE_URL", "DEAD_LETTER_QUEUE_URL"):
        monkeypatch.delenv(name, raising=False)
    stored(tmp_path / "store", synthetic_history(2))
    return lambda *arguments: coinfarm("backfill", *arguments)


@pytest.fixture
def plan(backfill: Callable[..., Result]) -> Callable[..., Result]:
    """Plans three days, of which two have candles, in the folder `run`; later options replace earlier ones."""
    period = ["--symbol", "DEMOUSD", "--from", "2026-01-01", "--to", "2026-01-04", "--store", "store", "--run", "run"]
    return lambda *options: backfill("plan", *period, "--frames-per-s", 2000, *options)


@pytest.fixture
def planned(plan: Callable[..., Result]) -> None:
    """A planned run in the folder `run`."""
    assert plan().exit_code == 0
