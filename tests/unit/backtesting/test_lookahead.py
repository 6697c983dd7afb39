"""The check finds predictions and rules that use the future."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from coinfarm.backtesting.lookahead import check_predictions, check_rule
from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.backtesting.stored_predictions import CoinPredictions
from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles
from coinfarm.errors import CoinfarmError
from coinfarm.prediction.predictions import Predictions
from coinfarm.prediction.series import Series
from tests.support.backtest_files import MODEL, WINDOW, store_candles
from tests.support.backtest_markets import noisy_predictions, random_walk


def predict_window(candles: Candles, last: int) -> Values:
    """A prediction from the window that ends with the candle `last`."""
    window = slice(last - WINDOW + 1, last + 1)
    columns = candles.columns
    close = columns.close[last]
    return (
        np.array([columns.high[window].max() / close, columns.low[window].min() / close, columns.close[window].mean() / close]) * 100 - 100
    )


class WindowPredictor:
    """A predictor whose model uses only the window."""

    model = SimpleNamespace(version=MODEL)

    def predict(self, series: Series) -> Predictions:
        assert len(series) == 1
        values = predict_window(series.candles, WINDOW - 1)[None]
        zero = np.zeros(1, np.int64)
        return Predictions(zero, zero, zero, None, values)


def stored(candles: Candles, values: Values, first: int) -> CoinPredictions:
    close_time = candles.open_time[first : first + len(values)] + 59_999
    zeros = np.zeros(len(values), np.int64)
    return CoinPredictions(candles.symbol, "1m", MODEL, close_time, zeros.astype(np.bool_), 0, zeros, values)


@pytest.fixture(scope="module")
def candles() -> Candles:
    candles = random_walk("DEMOUSD", 900, 1)
    assert candles.filled.any()
    return candles


def check(tmp_path: Path, candles: Candles, values: Values, first: int = WINDOW - 1):  # type: ignore[no-untyped-def]
    store_candles(tmp_path, candles)
    return check_predictions(WindowPredictor(), [stored(candles, values, first)], str(tmp_path))  # type: ignore[arg-type]


def test_passes_predictions_from_the_window_alone(tmp_path: Path, candles: Candles) -> None:
    values = np.array([predict_window(candles, last) for last in range(WINDOW - 1, len(candles))])
    found = check(tmp_path, candles, values)
    assert found.passed
    assert (found.moments, found.largest_difference_pct) == (24, 0.0)


def test_finds_predictions_that_use_the_next_candle(tmp_path: Path, candles: Candles) -> None:
    values = np.array([predict_window(candles, last + 1) for last in range(WINDOW - 1, len(candles) - 1)])
    assert not check(tmp_path, candles, values).passed


def test_rejects_predictions_of_another_model(tmp_path: Path, candles: Candles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WindowPredictor, "model", SimpleNamespace(version="20260202-ffffffff"))
    with pytest.raises(CoinfarmError, match=f"{MODEL}.* 20260202-ffffffff"):
        check(tmp_path, candles, np.ones((5, 3)))


def test_rejects_missing_predictions(tmp_path: Path, candles: Candles) -> None:
    with pytest.raises(CoinfarmError, match="no prediction"):
        check(tmp_path, candles, np.full((5, 3), np.nan))


def coin() -> PredictedCoin:
    return noisy_predictions(random_walk("DEMOUSD", 300, 1), 20, 2)


def test_passes_a_rule_that_uses_earlier_rows() -> None:
    check_rule(lambda columns: (np.maximum.accumulate(columns["end_change_pct"]) > 0.2).astype(int), [coin()])


def test_finds_a_rule_that_uses_later_rows() -> None:
    with pytest.raises(CoinfarmError, match="DEMOUSD"):
        check_rule(lambda columns: (columns["end_change_pct"] > columns["end_change_pct"].mean()).astype(int), [coin()])
