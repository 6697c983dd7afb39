"""Predictions that know the future are found out, and so are rules."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from coinfarm.backtest.lookahead import check_predictions, check_rule
from coinfarm.backtest.predicted_coin import PredictedCoin
from coinfarm.backtest.stored_predictions import CoinPredictions
from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles
from coinfarm.errors import CoinfarmError
from coinfarm.prediction.predictions import Predictions
from coinfarm.prediction.series import Series
from tests.support.backtest_files import MODEL, WINDOW, store_candles
from tests.support.backtest_markets import predicted, wandering


def honest(candles: Candles, last: int) -> Values:
    """A prediction from the window alone."""
    window = slice(last - WINDOW + 1, last + 1)
    columns = candles.columns
    close = columns.close[last]
    return (
        np.array([columns.high[window].max() / close, columns.low[window].min() / close, columns.close[window].mean() / close]) * 100 - 100
    )


class HonestPredictor:
    """Stands for a predictor whose model looks at the window."""

    model = SimpleNamespace(version=MODEL)

    def predict(self, series: Series) -> Predictions:
        assert len(series) == 1
        values = honest(series.candles, WINDOW - 1)[None]
        nothing = np.zeros(1, np.int64)
        return Predictions(nothing, nothing, nothing, None, values)


def stored_by(candles: Candles, values: Values, first: int) -> CoinPredictions:
    close_time = candles.open_time[first : first + len(values)] + 59_999
    nothing = np.zeros(len(values), np.int64)
    return CoinPredictions(candles.symbol, "1m", MODEL, close_time, nothing.astype(np.bool_), 0, nothing, values)


@pytest.fixture(scope="module")
def candles() -> Candles:
    made = wandering("DEMOUSD", 900, 1)
    assert made.filled.any()
    return made


def check(tmp_path: Path, candles: Candles, values: Values, first: int = WINDOW - 1):  # type: ignore[no-untyped-def]
    store_candles(tmp_path, candles)
    return check_predictions(HonestPredictor(), [stored_by(candles, values, first)], str(tmp_path))  # type: ignore[arg-type]


def test_predictions_from_the_window_alone_are_the_same_without_the_future(tmp_path: Path, candles: Candles) -> None:
    values = np.array([honest(candles, last) for last in range(WINDOW - 1, len(candles))])
    found = check(tmp_path, candles, values)
    assert found.passed
    assert (found.moments, found.largest_difference_pct) == (24, 0.0)


def test_a_candle_too_much_is_found_out(tmp_path: Path, candles: Candles) -> None:
    values = np.array([honest(candles, last + 1) for last in range(WINDOW - 1, len(candles) - 1)])
    assert not check(tmp_path, candles, values).passed


def test_predictions_of_another_model_are_not_judged_by_this_one(tmp_path: Path, candles: Candles) -> None:
    HonestPredictor.model = SimpleNamespace(version="20260202-ffffffff")
    try:
        with pytest.raises(CoinfarmError, match=f"{MODEL}, not by 20260202-ffffffff"):
            check(tmp_path, candles, np.ones((5, 3)))
    finally:
        HonestPredictor.model = SimpleNamespace(version=MODEL)


def test_without_predictions_there_is_nothing_to_check(tmp_path: Path, candles: Candles) -> None:
    with pytest.raises(CoinfarmError, match="no prediction"):
        check(tmp_path, candles, np.full((5, 3), np.nan))


def coin() -> PredictedCoin:
    return predicted(wandering("DEMOUSD", 300, 1), 20, 2)


def test_a_rule_over_rows_and_what_is_above_them_looks_at_no_future() -> None:
    check_rule(lambda columns: (np.maximum.accumulate(columns["end_change_pct"]) > 0.2).astype(int), [coin()])


def test_a_rule_that_needs_the_mean_of_all_looks_ahead() -> None:
    with pytest.raises(CoinfarmError, match="DEMOUSD"):
        check_rule(lambda columns: (columns["end_change_pct"] > columns["end_change_pct"].mean()).astype(int), [coin()])
