"""The conclusion from break-even cost, interval, test period and number of variants."""

from math import nan

import pytest

from coinfarm.backtesting.break_even import BreakEven
from coinfarm.backtesting.period import BacktestPeriod
from coinfarm.backtesting.verdict import Conclusion, decide_verdict
from coinfarm.candles.day import DAY_MS
from tests.support.backtest_markets import START_MS

HOUR_MS = 3_600_000


def period(days: int) -> BacktestPeriod:
    return BacktestPeriod(START_MS, START_MS + days * DAY_MS, HOUR_MS)


def break_even(low: float, bps: float, high: float, independent_trades: float = 100.0) -> BreakEven:
    """With 120 trades that cost 22 bps each."""
    return BreakEven(bps, low, high, 22.0, 120, independent_trades)


@pytest.mark.parametrize(
    ("found", "days", "probability", "expected"),
    [
        pytest.param(break_even(25.0, 30.0, 35.0), 40, 0.97, Conclusion.MAKES_MONEY, id="above the cost"),
        pytest.param(break_even(25.0, 30.0, 35.0), 40, 0.60, Conclusion.INCONCLUSIVE, id="above, but one of many variants"),
        pytest.param(break_even(25.0, 30.0, 35.0), 40, nan, Conclusion.INCONCLUSIVE, id="above, but unknown Sharpe ratio"),
        pytest.param(break_even(5.0, 10.0, 15.0), 40, 0.10, Conclusion.LOSES_MONEY, id="below the cost"),
        pytest.param(break_even(-9.0, -4.0, 1.0), 40, 0.00, Conclusion.LOSES_MONEY, id="below zero"),
        pytest.param(break_even(15.0, 30.0, 45.0), 40, 0.99, Conclusion.INCONCLUSIVE, id="the cost is within the interval"),
        pytest.param(break_even(25.0, 30.0, 35.0, 29.0), 40, 0.99, Conclusion.INCONCLUSIVE, id="few trades"),
        pytest.param(break_even(25.0, 30.0, 35.0, 30.0), 10, 0.95, Conclusion.MAKES_MONEY, id="just enough trades and days"),
        pytest.param(break_even(25.0, 30.0, 35.0), 9, 0.99, Conclusion.INCONCLUSIVE, id="few days"),
        pytest.param(BreakEven(nan, nan, nan, nan, 0, 0.0), 40, nan, Conclusion.INCONCLUSIVE, id="no trades"),
    ],
)
def test_concludes_only_from_enough_data_and_a_clear_interval(
    found: BreakEven, days: int, probability: float, expected: Conclusion
) -> None:
    verdict = decide_verdict(found, period(days), probability, 40)
    assert verdict.conclusion is expected
    assert verdict.headline.startswith(expected.capitalize())
    assert verdict.reasons


def test_names_every_shortage_of_data() -> None:
    verdict = decide_verdict(break_even(25.0, 30.0, 35.0, 29.0), period(9), 0.99, 1)
    assert len(verdict.reasons) == 2
    assert "9.0 days" in verdict.reasons[1]
