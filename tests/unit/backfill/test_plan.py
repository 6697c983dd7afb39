"""Plan a run."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from coinfarm.errors import CoinfarmError
from coinfarm.storage import Storage
from tests.support.backfill_runs import planned
from tests.support.candle_stores import stored, synthetic_history


@pytest.fixture(scope="module")
def candles(tmp_path_factory: pytest.TempPathFactory) -> Storage:
    """Three days of minutes, and twenty of hours, of which the second has no candles."""
    hours = synthetic_history(20, interval="1h", symbol="DEMOETH", missing=range(24, 48))
    return stored(tmp_path_factory.mktemp("store"), synthetic_history(3), hours)


def test_counts_the_windows_of_days_with_candles(candles: Storage, tmp_path: Path) -> None:
    manifest = planned(tmp_path, candles, symbols=("DEMOUSD",), days=5).manifest
    assert (manifest.estimate.windows, manifest.estimate.shards, manifest.estimate.shards_without_candles) == (3 * 1440, 5, 2)
    hours = planned(tmp_path / "hours", candles, symbols=("DEMOETH",), interval="1h", days=3, stride=6, shard_days=None).manifest
    assert (hours.estimate.windows, hours.estimate.shards, hours.estimate.shards_without_candles) == (2 * 4, 1, 0)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        pytest.param({"days": 0}, "2026-01-01", id="no days"),
        pytest.param({"days": -3}, "2025-12-29", id="negative days"),
        pytest.param({"symbols": ("DEMOUSD", "DEMOUSD")}, "DEMOUSD", id="duplicate symbol"),
        pytest.param({"symbols": ("NONEUSD",)}, "1m candles of NONEUSD", id="symbol without candles"),
        pytest.param({"first_day": date(2025, 1, 1)}, "DEMOUSD 1m from 2026-01-01", id="days without candles"),
        pytest.param({"interval": "1w"}, "'1w'", id="unknown interval"),
    ],
)
def test_rejects_an_invalid_spec(candles: Storage, tmp_path: Path, changes: dict[str, Any], named: str) -> None:
    with pytest.raises(CoinfarmError, match=named):
        planned(tmp_path / "run", candles, **changes)
    assert not (tmp_path / "run").exists()
