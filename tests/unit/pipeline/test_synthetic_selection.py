"""Synthetic candles of a verdict: three coins at each interval, after the model's training data."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from coinfarm.candle_store.store import CandleStore
from coinfarm.candles.day import day_start_ms
from coinfarm.models.training_data import TrainingData
from coinfarm.pipeline.planted_edge import PlantedEdge
from coinfarm.pipeline.synthetic_selection import SYNTHETIC_SYMBOLS, store_synthetic_candles, synthetic_days
from coinfarm.storage import open_storage


def stored_candles(selection, symbol):
    return CandleStore(open_storage(selection.candles_root)).read(symbol, selection.interval)


def test_stores_candles_of_three_coins(tmp_path):
    (selection,) = store_synthetic_candles(tmp_path, ["1m"], None, date(2026, 2, 1), date(2026, 2, 3))
    assert (selection.symbols, selection.synthetic, selection.stride) == (SYNTHETIC_SYMBOLS, True, 1)
    assert {len(stored_candles(selection, symbol)) for symbol in SYNTHETIC_SYMBOLS} == {2 * 1440}
    assert store_synthetic_candles(tmp_path, ["1m"], None, date(2026, 2, 1), date(2026, 2, 3)) == [selection]


def test_longer_intervals_have_more_days_and_fewer_windows(tmp_path):
    assert [synthetic_days(interval) for interval in ("1m", "1h", "4h")] == [40, 310, 620]
    hours, quarters = reversed(store_synthetic_candles(tmp_path, ["1h", "6h"], None, date(2026, 2, 1), date(2026, 2, 5)))
    assert (len(stored_candles(hours, "DEMOBTC")), len(stored_candles(quarters, "DEMOBTC"))) == (16, 96)


@pytest.mark.parametrize(
    ("cutoff", "first_day"),
    [
        pytest.param(date(2019, 5, 1), date(2026, 1, 1), id="trained on earlier candles"),
        pytest.param(date(2026, 3, 5), date(2026, 3, 5), id="trained on later candles"),
    ],
)
def test_candles_begin_after_the_training_data(tmp_path, monkeypatch, cutoff, first_day):
    monkeypatch.setattr("coinfarm.pipeline.synthetic_selection.SYNTHETIC_DAYS", 1)
    training = TrainingData(
        symbols=("BTCUSD",),
        interval="1m",
        frames=1,
        splits={},
        from_date=date(2019, 1, 1),
        to_date=cutoff,
        cutoff_ms={"BTCUSD": day_start_ms(cutoff)},
    )
    (selection,) = store_synthetic_candles(tmp_path, ["1m"], training, None, None)
    assert (selection.first_day, (selection.stop_day - selection.first_day).days) == (first_day, 1)


def test_candles_with_an_edge_are_planted_once_and_kept(tmp_path):
    """The model's rounding may differ in the next call, and then other candles would follow."""
    up: Any = SimpleNamespace(
        model=SimpleNamespace(version="20260101-0a1b2c3d", bundle=SimpleNamespace(manifest=SimpleNamespace(horizon_candles=30))),
        predict_each=lambda series: [SimpleNamespace(values_pct=np.array([[1.0, -1.0, 0.5]])) for _ in series],
    )
    period = (date(2026, 2, 1), date(2026, 2, 15))
    (plain,) = store_synthetic_candles(tmp_path, ["1h"], None, *period)
    (planted,) = store_synthetic_candles(tmp_path, ["1h"], None, *period, planted=PlantedEdge(up, 50.0))
    assert (planted.stride, planted.planted_bps) == (30, 50.0)
    assert planted.folder != plain.folder
    with_edge, without = stored_candles(planted, "DEMOBTC"), stored_candles(plain, "DEMOBTC")
    assert with_edge.columns.close[-1] / without.columns.close[-1] > 1.02
    up.predict_each = None
    assert store_synthetic_candles(tmp_path, ["1h"], None, *period, planted=PlantedEdge(up, 50.0)) == [planted]
