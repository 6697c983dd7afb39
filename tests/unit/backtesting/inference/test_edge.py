"""The edge, its standard error, and resampled t statistics."""

import numpy as np
import pytest
from arch.bootstrap import CircularBlockBootstrap

from coinfarm.backtesting.inference.edge import DailyProfit, bias_factor, cosine_count, estimate_edges, resampled_t
from tests.support.daily_profits import autoregression, daily_profit


def test_the_edge_is_the_net_profit_per_stake() -> None:
    profit = DailyProfit(np.array([[3.0], [-1.0], [0.0], [2.0]] * 5), np.array([[100.0], [100.0], [0.0], [200.0]] * 5))
    found = estimate_edges(profit)
    assert found.edge[0] == pytest.approx(4.0 / 400.0)
    assert found.effective_trading_days[0] == pytest.approx(5 * 400.0**2 / (100**2 + 100**2 + 200**2))


def test_the_standard_error_is_that_of_repeated_samples() -> None:
    for persistence in (0.0, 0.7):
        edges, variances = [], []
        for seed in range(400):
            net = autoregression(np.random.default_rng(seed), 400, persistence)[:, None]
            found = estimate_edges(DailyProfit(net, np.full((400, 1), 100.0)))
            edges.append(found.edge[0])
            variances.append(found.standard_error[0] ** 2)
        assert np.sqrt(np.mean(variances)) == pytest.approx(np.std(edges), rel=0.12)


def test_resampled_t_equal_those_of_arch() -> None:
    """The same distribution: arch resamples the residuals, and the edge of each resample is estimated as usual."""
    profit = daily_profit(np.random.default_rng(4), 92, 20.0)
    edge = estimate_edges(profit).edge
    residual = profit.net - edge * profit.stake

    def t_of(net: np.ndarray, stake: np.ndarray) -> np.ndarray:
        return estimate_edges(DailyProfit(net, stake)).t

    expected = CircularBlockBootstrap(3, residual, profit.stake, seed=5).apply(t_of, 4_000)[:, 0]
    found = resampled_t(profit, 3, 4_000, seed=6)[:, 0]
    levels = [0.025, 0.05, 0.5, 0.95, 0.975]
    assert np.quantile(found, levels) == pytest.approx(np.quantile(expected, levels), rel=0.1, abs=0.06)


def test_strategies_are_resampled_together_whatever_their_number() -> None:
    one, other = (daily_profit(np.random.default_rng(seed), 60, 0.0) for seed in (1, 2))
    both = DailyProfit(np.hstack([one.net, one.net, other.net]), np.hstack([one.stake, one.stake, other.stake]))
    found = resampled_t(both, 2, 200, seed=1)
    assert found[:, 0] == pytest.approx(found[:, 1])
    assert found[:, 0] == pytest.approx(resampled_t(one, 2, 200, seed=1)[:, 0])


def test_a_strategy_without_trades_has_no_edge() -> None:
    found = estimate_edges(DailyProfit(np.zeros((30, 1)), np.zeros((30, 1))))
    assert np.isnan(found.edge[0])
    assert found.t[0] == 0.0


def test_short_periods_hide_more_of_the_dependence() -> None:
    factors = [bias_factor(days) for days in (30, 92, 180, 1_000)]
    assert factors == sorted(factors)
    assert 0.2 < factors[0] < 0.5
    assert factors[-1] > 0.9
    assert [cosine_count(days) for days in (12, 92, 10_000)] == [4, 6, 30]
