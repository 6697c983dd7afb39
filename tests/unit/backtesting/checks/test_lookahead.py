"""The check finds predictions and rules that use the future."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from coinfarm.backtesting.checks.lookahead import MIN_CHECKS, check_predictions, check_rule, checks_per_coin
from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.backtesting.rules.user_rule import load_rule
from coinfarm.backtesting.stored_predictions import CoinPredictions
from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles
from coinfarm.errors import CoinfarmError
from coinfarm.prediction.predictions import Predictions
from coinfarm.prediction.series import Series
from coinfarm.reports.formatting import minute_text
from coinfarm.targets import targets_pct
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
    assert (found.moments, found.largest_difference_pct, found.differing_rows) == (MIN_CHECKS, 0.0, 0)


@pytest.mark.parametrize("noise", [0.0, 0.02], ids=["the same form", "another compiled form"])
def test_finds_a_leak_in_a_twentieth_of_the_rows_and_names_the_first(tmp_path: Path, candles: Candles, noise: float) -> None:
    values = np.array([predict_window(candles, last) for last in range(WINDOW - 1, len(candles) - 30)])
    generator = np.random.default_rng(1)
    values += noise * values.std(axis=0) * generator.standard_normal(values.shape)
    leaking = generator.random(len(values)) < 0.05
    values[leaking] = targets_pct(candles.columns, np.arange(WINDOW - 1, len(candles) - 30), 30)[leaking]
    found = check(tmp_path, candles, values)
    assert not found.passed
    assert 1 <= found.differing_rows <= leaking.sum()
    first = candles.open_time[WINDOW - 1 : -30][leaking] + 60_000
    assert found.first_differing_row in [f"DEMOUSD at {minute_text(each)}" for each in first.tolist()]


def test_repeats_enough_rows_to_find_a_leak_in_a_twentieth_of_them() -> None:
    assert all(0.95 ** (checks_per_coin(coins) * coins) < 0.01 for coins in range(1, 20))


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


RULES = """
import numpy as np

remembered = {}


def earlier(columns):
    return (np.maximum.accumulate(columns["end_change_pct"]) > 0.2).astype(int)


def mean(columns):
    return (columns["end_change_pct"] > columns["end_change_pct"].mean()).astype(int)


def cached(columns):
    # The next row, from the longest columns that the process has seen.
    seen = remembered.setdefault("columns", columns["end_change_pct"])
    if len(seen) < len(columns["end_change_pct"]):
        seen = remembered["columns"] = columns["end_change_pct"]
    return (np.append(seen[1:], 0)[: len(columns["end_change_pct"])] > 0).astype(int)


def rare(columns):
    end = columns["end_change_pct"]
    return (np.where(np.arange(len(end)) % 20 == 7, np.append(end[1:], 0), end) > 0).astype(int)


def orders(columns):
    end = columns["end_change_pct"]
    return {"side": (end > 0).astype(int), "stop_pct": np.full(len(end), end.max())}


def random(columns):
    return np.random.default_rng().integers(0, 2, len(columns["close_time"]))


def short(columns):
    return [1, 0]


def broken(columns):
    if len(columns["close_time"]) < 250:
        raise KeyError("missing")
    return np.zeros(len(columns["close_time"]))
"""


def check_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "some_rules.py").write_text(RULES)
    name = f"some_rules:{name}"
    check_rule(name, tmp_path, load_rule(name, tmp_path), [coin()])


def test_passes_a_rule_that_uses_earlier_rows(tmp_path: Path) -> None:
    check_named(tmp_path, "earlier")


@pytest.mark.parametrize("name", ["mean", "cached", "rare", "orders"])
def test_finds_a_rule_that_uses_later_rows(tmp_path: Path, name: str) -> None:
    with pytest.raises(CoinfarmError, match="DEMOUSD"):
        check_named(tmp_path, name)


@pytest.mark.parametrize(("name", "named"), [("random", "called again"), ("short", "another length")])
def test_rejects_a_rule_that_cannot_be_compared(tmp_path: Path, name: str, named: str) -> None:
    with pytest.raises(CoinfarmError, match=named):
        check_named(tmp_path, name)


def test_reports_a_rule_that_fails_on_the_first_rows(tmp_path: Path) -> None:
    with pytest.raises(CoinfarmError, match="missing"):
        check_named(tmp_path, "broken")
