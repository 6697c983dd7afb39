"""The figures of baselines, against their definitions."""

from dataclasses import replace

import numpy as np
import pytest

from coinfarm.backtesting.baselines.baseline_result import baseline_result
from coinfarm.backtesting.baselines.baseline_strategies import baselines
from coinfarm.backtesting.inference.break_even import break_even
from coinfarm.backtesting.inference.daily_profit import mark_to_market
from coinfarm.backtesting.statistics import statistics
from tests.support.baseline_markets import context_of, strategy_with, two_coins


@pytest.fixture(scope="module")
def context():
    return context_of(two_coins(), strategy_with())


@pytest.fixture(scope="module")
def by_name(context):
    return {each.name: each for each in baselines(context)}


def test_a_random_baseline_shows_the_mean_and_the_central_90_percent_of_its_draws(context, by_name):
    random, capital = by_name["random entries"], context.strategy.size.capital
    found = baseline_result(random, context, 100)
    bps = [1e4 * draw.gross.sum() / draw.stake.sum() for draw in random.draws]
    marked = [mark_to_market(draw, [coin.candles for coin in context.coins], context.period) for draw in random.draws]
    returns = [statistics(draw, each, context.period, capital).return_pct for draw, each in zip(random.draws, marked)]
    assert (found.bps, found.low_bps, found.high_bps) == pytest.approx((np.mean(bps), *np.percentile(bps, [5, 95])))
    assert (found.return_pct, found.return_low_pct, found.return_high_pct) == pytest.approx(
        (np.mean(returns), *np.percentile(returns, [5, 95]))
    )
    assert (found.trades, found.missing_trades) == (len(context.trades), 0)
    assert found.equity[-1] == pytest.approx(1 + found.return_pct / 100)


def test_the_share_of_draws_that_the_strategy_beats(context, by_name):
    random = by_name["random entries"]
    assert baseline_result(random, context, 100).beaten_pct == 100
    for at in (0, 5):
        draw = random.draws[at]
        beaten = sum(each.net.sum() / each.stake.sum() < draw.net.sum() / draw.stake.sum() for each in random.draws)
        assert baseline_result(random, replace(context, trades=draw), 100).beaten_pct == pytest.approx(100 * beaten / len(random.draws))


def test_a_baseline_without_draws_has_the_interval_of_the_bootstrap(context, by_name):
    momentum = by_name["momentum"]
    found = baseline_result(momentum, context, 100)
    expected = break_even(
        momentum.draws[0], mark_to_market(momentum.draws[0], [coin.candles for coin in context.coins], context.period), 100, context.seed
    )
    assert (found.bps, found.cost_bps, found.trades) == pytest.approx((expected.bps, expected.cost_bps, expected.trades))
    np.testing.assert_equal((found.low_bps, found.high_bps), (expected.low_bps, expected.high_bps))
    assert np.isnan([found.beaten_pct, found.return_low_pct]).all()


def test_missing_trades_are_counted(context, by_name):
    always_long = by_name["always long"]
    fewer = replace(always_long, draws=(always_long.draws[0].rows(slice(3, None)),))
    assert baseline_result(fewer, context, 100).missing_trades == 3
    assert baseline_result(by_name["buy and hold"], context, 100).missing_trades == 0


def test_buy_and_hold_does_not_trade_again_to_keep_its_stakes_equal(context, by_name):
    found = baseline_result(by_name["buy and hold"], context, 100)
    assert found.return_pct == pytest.approx(100 * by_name["buy and hold"].draws[0].net.sum() / context.strategy.size.capital)
