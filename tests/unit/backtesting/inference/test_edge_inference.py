"""The promises of the inference, in small simulations; `make calibrate` makes large ones."""

from math import isinf, isnan

import numpy as np
import pytest

from coinfarm.backtesting.inference.edge import DailyProfit
from coinfarm.backtesting.inference.edge_inference import MAX_P_VALUE, EdgeInference, infer_edge
from tests.support.daily_profits import autoregression, daily_profit

SAMPLES = 400


def inferences(days: int, edge_bps: float, streams: int = 150) -> list[EdgeInference]:
    return [infer_edge(daily_profit(np.random.default_rng(seed), days, edge_bps), SAMPLES) for seed in range(streams)]


def test_intervals_cover_the_true_edge() -> None:
    found = inferences(92, 10.0)
    assert np.mean([each.low_bps <= 10.0 <= each.high_bps for each in found]) >= 0.87
    assert np.mean([max(each.p_value, each.loss_p_value) <= 1 and each.low_bps < each.edge_bps < each.high_bps for each in found]) == 1.0


def test_an_edge_of_zero_is_rarely_significant_on_either_side() -> None:
    found = inferences(60, 0.0)
    assert np.mean([each.p_value <= MAX_P_VALUE for each in found]) <= 0.05
    assert np.mean([each.loss_p_value <= MAX_P_VALUE for each in found]) <= 0.05


def test_the_detectable_edge_is_found_with_about_the_promised_probability() -> None:
    detectable = float(np.median([each.detectable_bps for each in inferences(92, 0.0, 60)]))
    power = np.mean([each.p_value <= MAX_P_VALUE for each in inferences(92, detectable)])
    assert 0.68 <= power <= 0.92


def test_four_times_the_days_need_half_the_edge() -> None:
    """The number of days that a break-even cost like today's needs, against that many days."""
    found = inferences(92, 15.0, 60)
    needed = int(np.median([each.needed_days for each in found]))
    power = np.mean([each.p_value <= MAX_P_VALUE for each in inferences(needed, 15.0, 100)])
    assert 0.6 <= power <= 0.98


def test_dependent_days_widen_the_interval() -> None:
    widths = []
    for persistence in (0.0, 0.8):
        net = [autoregression(np.random.default_rng(seed), 180, persistence)[:, None] for seed in range(20)]
        found = [infer_edge(DailyProfit(each, np.full((180, 1), 1_000.0)), SAMPLES) for each in net]
        widths.append(np.median([each.high_bps - each.low_bps for each in found]))
    assert widths[1] > 2.0 * widths[0]


def test_one_day_is_one_block_however_many_trades_it_has() -> None:
    net, stake = np.zeros((92, 1)), np.zeros((92, 1))
    net[40], stake[40] = 330.0, 40_000.0
    found = infer_edge(DailyProfit(net, stake), SAMPLES)
    assert (found.days_with_trades, found.effective_blocks) == (1, 1.0)
    assert (found.p_value, found.adjusted_p_value) == (1.0, 1.0)
    assert isnan(found.low_bps)
    assert isinf(found.needed_days)


@pytest.mark.parametrize("gain", [5.0, 2.79, 1.5, 0.1, 4.79, 10.79])
def test_equal_profits_on_all_days_are_certain(gain: float) -> None:
    for sign in (1.0, -1.0):
        found = infer_edge(DailyProfit(np.full((60, 1), sign * gain), np.full((60, 1), 1_000.0 / 3.0)), SAMPLES)
        assert min(found.p_value, found.loss_p_value) < 0.01
        assert max(found.p_value, found.loss_p_value) > 0.9
        assert found.low_bps == pytest.approx(sign * 30.0 * gain)
        assert found.high_bps == pytest.approx(sign * 30.0 * gain)


class TestOtherStrategies:
    def profit(self) -> DailyProfit:
        return daily_profit(np.random.default_rng(7), 92, 45.0)

    def with_others(self, *others: DailyProfit) -> EdgeInference:
        own = self.profit()
        net = np.hstack([own.net, *(each.net for each in others)])
        return infer_edge(DailyProfit(net, np.hstack([own.stake, *(each.stake for each in others)])), SAMPLES)

    def test_losing_ones_change_nothing(self) -> None:
        alone = self.with_others()
        losing = [daily_profit(np.random.default_rng(seed), 92, edge) for seed, edge in ((1, -20.0), (2, -60.0), (3, -200.0))]
        cheaper = DailyProfit(self.profit().net - 100.0, self.profit().stake)
        assert self.with_others(*losing, cheaper) == alone
        assert alone.adjusted_p_value == alone.p_value

    def test_copies_change_nothing_and_noise_that_looks_good_does(self) -> None:
        alone = self.with_others()
        assert self.with_others(self.profit(), self.profit()).adjusted_p_value == pytest.approx(alone.p_value, abs=1 / SAMPLES)
        noise = [daily_profit(np.random.default_rng(seed), 92, 10.0) for seed in range(60)]
        assert self.with_others(*noise).adjusted_p_value > 2.0 * alone.p_value

    def test_the_best_of_forty_without_skill_is_rarely_significant(self) -> None:
        significant = 0
        for seed in range(100):
            variants = [daily_profit(np.random.default_rng([seed, number]), 60, 0.0) for number in range(40)]
            best = max(range(40), key=lambda number: float(variants[number].net.sum() / variants[number].net.std()))
            order = [best, *(number for number in range(40) if number != best)]
            profit = DailyProfit(np.hstack([variants[at].net for at in order]), np.hstack([variants[at].stake for at in order]))
            significant += infer_edge(profit, SAMPLES).adjusted_p_value <= MAX_P_VALUE
        assert significant <= 8


@pytest.mark.parametrize("days", [2, 11])
def test_too_few_days_give_no_estimate(days: int) -> None:
    found = infer_edge(daily_profit(np.random.default_rng(1), days, 0.0), SAMPLES)
    assert isnan(found.edge_bps)
    assert found.days == days
