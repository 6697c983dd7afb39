"""Verdicts that count what was tried at every interval of a map."""

import numpy as np
import pytest

from benchmarks.calibration.maps import MapCell, evaluate_map_cell
from benchmarks.calibration.streams import DEPENDENCES
from coinfarm.backtesting.inference.edge_inference import infer_edge
from coinfarm.backtesting.inference.trials import Trial, TrialKey, new_trial
from coinfarm.backtesting.interval_map.joint_test import joint_p_value, judge_together
from tests.support.daily_profits import daily_profit
from tests.support.interval_backtests import SAMPLES, interval_backtest

DAYS = 120


def trial(seed: int, edge_bps: float, first_day: int = 0, days: int = DAYS) -> Trial:
    profit = daily_profit(np.random.default_rng(seed), days, edge_bps)
    return new_trial("", TrialKey("", ""), first_day, profit)


@pytest.mark.parametrize(
    ("days", "correlated"),
    [
        pytest.param((60,) * 5, True, id="same days"),
        pytest.param((60,) * 5, False, id="independent"),
        pytest.param((30, 40, 60, 60, 60), True, id="some days in common"),
    ],
)
def test_without_an_edge_some_interval_makes_money_in_few_maps(days: tuple[int, ...], correlated: bool) -> None:
    """At most 5 %, within the simulation's error: of 200 maps of exactly 5 %, 8.5 % make money in one of forty tests."""
    found = evaluate_map_cell(MapCell(DEPENDENCES[0], days, correlated), 200, 200, seed=3)
    assert found.makes_money <= 0.085
    assert found.alone > 2 * found.makes_money, "each judged alone, five intervals make money too often"


def test_a_single_trial_has_its_own_p_value() -> None:
    profit = daily_profit(np.random.default_rng(1), DAYS, 15.0)
    assert joint_p_value([trial(1, 15.0)], SAMPLES) == infer_edge(profit, SAMPLES).adjusted_p_value


@pytest.mark.parametrize("first_day", [0, 40, 1_000], ids=["same days", "some days in common", "other days"])
def test_trials_that_earn_raise_the_p_value_on_whatever_days(first_day: int) -> None:
    tested = trial(1, 15.0)
    others = [trial(seed, 15.0, first_day) for seed in range(2, 8)]
    assert joint_p_value([tested, *others], 400) > 2 * joint_p_value([tested], 400)


def test_trials_that_lose_cost_nothing() -> None:
    tested = trial(1, 15.0)
    assert joint_p_value([tested, *(trial(seed, -60.0) for seed in range(2, 8))], SAMPLES) == joint_p_value([tested], SAMPLES)


def test_a_copy_on_the_same_days_is_no_other_try() -> None:
    tested = trial(1, 15.0)
    assert joint_p_value([tested, tested], SAMPLES) == joint_p_value([tested], SAMPLES)


def test_judges_every_interval_by_all() -> None:
    results = [interval_backtest("1h", 90, known_share=0.3), interval_backtest("2h", 120)]
    judged = judge_together(results, SAMPLES)
    for before, after in zip(results, judged, strict=True):
        assert (before.trials.count, after.trials.count, after.trials.here) == (1, 2, 1)
        assert after.break_even.inference.adjusted_p_value >= before.break_even.inference.adjusted_p_value
        assert after.break_even.bps == before.break_even.bps
    assert [each.name for each in judged[0].trials.elsewhere] == ["default, 2h candles"]
    (other,) = judged[1].trials.elsewhere
    np.testing.assert_allclose(other.net, results[0].marked.net, rtol=1e-6)


def test_an_interval_without_trades_stays_as_it_is() -> None:
    idle, trading = interval_backtest("1h", 60, min_end_change_pct=99.0), interval_backtest("2h", 60)
    judged, _ = judge_together([idle, trading], SAMPLES)
    assert judged.verdict == idle.verdict
    assert judged.trials.count == 2
