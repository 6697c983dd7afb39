"""Planning and backtesting a selection of candles."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from coinfarm.backfill.estimate import Speed
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.errors import CoinfarmError
from coinfarm.pipeline.imported_selection import import_candle_files
from coinfarm.pipeline.pipeline import collect_and_backtest, plan_backfill
from tests.support.candle_stores import synthetic_history

PREDICTOR: Any = SimpleNamespace(model=SimpleNamespace(version="20260101-0a1b2c3d"))


@pytest.fixture
def measurements(monkeypatch):
    """One entry for each time that the machine's speed is measured."""
    measured = []
    speed = Speed(2_000.0, 2, "set by a test")
    monkeypatch.setattr("coinfarm.pipeline.pipeline.measure_speed", lambda predictor: measured.append(predictor) or speed)
    return measured


def selection(folder, first_day=None):
    """Twelve days of hourly candles from 2026-01-01 on, or those from `first_day` on."""
    path = folder / "DEMOBTC-1h.parquet"
    path.write_bytes(parquet_from_candles(synthetic_history(12, symbol="DEMOBTC", interval="1h")))
    (selected,) = import_candle_files(folder / "out", [path], (), None, first_day, None)
    return selected


def test_plans_one_run_for_each_model_and_period_and_shares_the_results(tmp_path, measurements):
    all_days, last_days = selection(tmp_path), selection(tmp_path, date(2026, 1, 10))
    first, repeated = (plan_backfill(all_days, PREDICTOR, "models") for _ in range(2))
    assert len(measurements) == 1
    assert first.manifest == repeated.manifest
    assert first.manifest.estimate.windows == 12 * 24
    others = [plan_backfill(last_days, PREDICTOR, "models"), plan_backfill(all_days, PREDICTOR, "other models")]
    assert len({run.storage.uri() for run in (first, *others)}) == 3
    assert {run.manifest.results_uri for run in others} == {first.manifest.results_uri}


@pytest.mark.usefixtures("measurements")
def test_rejects_an_unfinished_run(tmp_path):
    candles = selection(tmp_path)
    with pytest.raises(CoinfarmError, match=r"2 shards .* DEMOBTC 1h 2026-01-01--2026-01-07"):
        collect_and_backtest(candles, plan_backfill(candles, PREDICTOR, None))
