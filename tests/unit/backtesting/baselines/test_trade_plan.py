"""The strategy's trades as a plan, and as sequences without overlaps."""

import pytest

from coinfarm.backtesting.baselines.trade_plan import TradePlan, sequences
from coinfarm.backtesting.execution.position_schedule import PositionLimits
from coinfarm.backtesting.execution.trades import HORIZON, Trade, Trades

MINUTE = 60_000


def trades_of(*spans: tuple[int, int, int]) -> Trades:
    """Trades of `coin` from one minute to another."""
    rows = [
        Trade(coin, start - 1, start * MINUTE, stop * MINUTE, 1, HORIZON, 100.0, 101.0, 50.0, 0.5, 0.0, 0.0) for coin, start, stop in spans
    ]
    return Trades.from_rows(("A", "B"), rows)


def test_a_plan_has_the_holding_times_in_candles_and_at_least_one() -> None:
    plan = TradePlan.of(trades_of((0, 1, 4), (1, 2, 2), (0, 5, 10)), MINUTE)
    assert (plan.hold.tolist(), plan.coin.tolist(), plan.stake.tolist()) == ([3, 1, 5], [0, 1, 0], [50.0] * 3)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        pytest.param(PositionLimits(2), [[0, 3], [2], [1, 4]], id="by coin"),
        pytest.param(PositionLimits(2, total=3), [[0, 3], [1, 4], [2]], id="together"),
        pytest.param(PositionLimits(2, total_exposure=150.0), [[0, 3], [1, 4], [2]], id="together by exposure"),
    ],
)
def test_trades_of_a_lane_do_not_overlap(limits: PositionLimits, expected: list[list[int]]) -> None:
    trades = trades_of((0, 1, 4), (1, 2, 5), (0, 3, 9), (0, 4, 6), (1, 5, 7))
    assert [sequence.tolist() for sequence in sequences(trades, limits)] == expected
