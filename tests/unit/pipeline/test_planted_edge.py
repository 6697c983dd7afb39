"""A market that follows the model: by so much after each prediction, and never before it."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from coinfarm.backfill.shard import Shard
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import day_start_ms
from coinfarm.candles.validation import candle_errors
from coinfarm.pipeline.planted_edge import PlantedEdge
from tests.support.candle_stores import synthetic_history

HORIZON, EDGE_BPS = 7, 90.0
SYMBOLS = ("DEMOBTC", "DEMOETH")


class Model:
    """Predicts a rise and a fall in turns, for the second coin the other way round, and keeps what it saw."""

    def __init__(self) -> None:
        self.model = SimpleNamespace(version="1", bundle=SimpleNamespace(manifest=SimpleNamespace(horizon_candles=HORIZON)))
        self.seen: list[tuple[Candles, float]] = []

    def predict_each(self, all_series: Any) -> Any:
        for coin, series in enumerate(all_series):
            sign = (-1.0) ** (len(self.seen) // len(SYMBOLS) // 2 + coin)
            self.seen.append((series.candles, sign))
            yield SimpleNamespace(values_pct=np.array([[1.0, -1.0, 0.3 * sign]]))


@pytest.fixture(scope="module")
def planted() -> Any:
    series = [synthetic_history(12, symbol=symbol, interval="1h") for symbol in SYMBOLS]
    model: Any = Model()
    before = [candles.columns.close.copy() for candles in series]
    found = PlantedEdge(model, EDGE_BPS).plant(series)
    for candles, close in zip(series, before, strict=True):
        np.testing.assert_array_equal(candles.columns.close, close, err_msg="the given candles are not changed")
    return series, found, model.seen


def test_the_price_drifts_by_the_edge_after_each_prediction(planted: Any) -> None:
    series, found, seen = planted
    for coin, (plain, candles) in enumerate(zip(series, found, strict=True)):
        shift = np.log(candles.columns.close / plain.columns.close)
        for window, sign in seen[coin :: len(SYMBOLS)]:
            at = int(np.searchsorted(candles.open_time, window.open_time[-1]))
            if at + HORIZON < len(candles):
                drift = np.diff(shift[at : at + HORIZON + 1])
                np.testing.assert_allclose(drift, sign * EDGE_BPS / 1e4 / HORIZON, atol=1e-12)


def test_a_window_is_never_changed_after_its_prediction(planted: Any) -> None:
    _, found, seen = planted
    for coin, candles in enumerate(found):
        for window, _ in seen[coin :: len(SYMBOLS)]:
            final = candles.between(int(window.open_time[0]), int(window.open_time[-1]) + 1)
            for column, shown in zip(final.columns, window.columns, strict=True):
                np.testing.assert_array_equal(column, shown)


def test_the_windows_are_those_of_a_backfill_with_this_stride(planted: Any) -> None:
    _, _, seen = planted
    shard = Shard(SYMBOLS[0], "1h", date(2026, 1, 1), HORIZON, 12)
    first = shard.first_window_end(day_start_ms(date(2026, 1, 1)) + 199 * shard.interval_ms)
    ends = [int(window.open_time[-1]) for window, _ in seen[:: len(SYMBOLS)]]
    assert ends == list(range(first, shard.stop_ms, HORIZON * shard.interval_ms))


def test_candles_stay_valid(planted: Any) -> None:
    for candles in planted[1]:
        assert not list(candle_errors(candles.open_time, candles.columns, "1h"))
