"""Baselines on two synthetic coins."""

from functools import cache
from typing import Any

import numpy as np
import pytest

from coinfarm.backtesting.baselines.baseline_result import baseline_result
from coinfarm.backtesting.baselines.baseline_strategies import (
    BASELINE_COUNT,
    DRAWS,
    PERFECT_FORESIGHT,
    BaselineContext,
    BaselineStrategy,
    baselines,
)
from coinfarm.backtesting.baselines.trade_plan import sequences
from coinfarm.backtesting.execution.position_schedule import PositionLimits
from coinfarm.backtesting.execution.trades import Trades
from tests.support.baseline_markets import context_of, strategy_with, two_coins

PLANNED = ("always long", "random entries", "momentum", "reversal")
SETTINGS: dict[str, dict[str, dict[str, Any]]] = {
    "long": {},
    "both sides": {"entry": {"allow_short": True}},
    "stakes by edge": {"size": {"by": "edge"}},
    "limit orders": {"entry": {"order": "limit", "limit_offset_bps": 1.0, "limit_valid_candles": 2, "allow_short": True}},
    "three positions per coin": {"size": {"positions_per_coin": 3}},
}


@cache
def comparison(settings: str) -> tuple[BaselineContext, dict[str, BaselineStrategy]]:
    context = context_of(two_coins(), strategy_with(**SETTINGS[settings]))
    return context, {each.name: each for each in baselines(context)}


def bps(trades: Trades) -> float:
    return float(1e4 * trades.gross.sum() / trades.stake.sum())


def held(trades: Trades, coin: int) -> list[int]:
    rows = trades.coin == coin
    return sorted(((trades.exit_ms - trades.entry_ms)[rows] // 60_000).tolist())


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("name", PLANNED)
def test_trades_as_often_as_long_and_with_the_same_stakes_as_the_strategy(settings: str, name: str) -> None:
    context, by_name = comparison(settings)
    strategy = context.trades
    for draw in by_name[name].draws[:3]:
        for coin in range(2):
            count = int((strategy.coin == coin).sum())
            assert count > 50
            # A few may have no place at the end of the period.
            assert count - max(2, count // 100) <= (draw.coin == coin).sum() <= count
        missing = len(strategy) - len(draw)
        assert draw.stake.sum() == pytest.approx(strategy.stake.sum(), rel=1e-9 + 2 * missing / len(strategy))
        # Candles without trades at the end of a holding time make it longer.
        mean_held = [float((each.exit_ms - each.entry_ms).mean()) for each in (draw, strategy)]
        assert mean_held[0] == pytest.approx(mean_held[1], rel=0.08)


@pytest.mark.parametrize("settings", ["long", "both sides", "stakes by edge"])
def test_random_entries_have_exactly_the_strategys_number_of_trades(settings: str) -> None:
    context, by_name = comparison(settings)
    for draw in by_name["random entries"].draws:
        np.testing.assert_array_equal(np.bincount(draw.coin), np.bincount(context.trades.coin))
        assert sorted(draw.side.tolist()) == sorted(context.trades.side.tolist())
        np.testing.assert_allclose(np.sort(draw.stake), np.sort(context.trades.stake))


@pytest.mark.parametrize("settings", SETTINGS)
def test_no_baseline_exceeds_the_limit_on_positions(settings: str) -> None:
    context, by_name = comparison(settings)
    per_coin = context.strategy.size.positions_per_coin
    for name in (*PLANNED, "shuffled predictions"):
        for draw in by_name[name].draws[:2]:
            assert len(sequences(draw, PositionLimits(per_coin))) <= 2 * per_coin


def test_random_entries_are_spread_over_the_period_without_skill() -> None:
    context, by_name = comparison("long")
    entries = np.concatenate([draw.entry_ms for draw in by_name["random entries"].draws])
    share = (entries - context.period.start_ms) / (context.period.stop_ms - context.period.start_ms)
    assert np.histogram(share, 5, (0, 1))[0] / len(share) == pytest.approx(0.2, abs=0.02)
    assert bps(context.trades) > 5
    assert abs(np.mean([bps(draw) for draw in by_name["random entries"].draws])) < 1


def test_shuffled_predictions_have_no_skill_and_trade_about_as_often() -> None:
    context, by_name = comparison("long")
    draws = by_name["shuffled predictions"].draws
    assert len(draws) == DRAWS
    assert abs(np.mean([bps(draw) for draw in draws])) < bps(context.trades) / 4
    assert np.mean([len(draw) for draw in draws]) == pytest.approx(len(context.trades), rel=0.1)


@pytest.mark.parametrize("settings", SETTINGS)
def test_no_strategy_or_baseline_earns_more_than_perfect_foresight(settings: str) -> None:
    context, by_name = comparison(settings)
    ceiling = by_name[PERFECT_FORESIGHT].draws[0].net.sum()
    others = [
        each.net.sum() for name, baseline in by_name.items() if name not in (PERFECT_FORESIGHT, "buy and hold") for each in baseline.draws
    ]
    assert ceiling > max(*others, context.trades.net.sum())
    assert ceiling > 0


def test_a_baseline_of_a_strategy_without_trades_has_none() -> None:
    context = context_of(two_coins(300), strategy_with(), min_end_change_pct=1_000.0)
    for baseline in baselines(context):
        if baseline.name not in (PERFECT_FORESIGHT, "buy and hold"):
            assert [len(draw) for draw in baseline.draws] == [0] * len(baseline.draws)
        result = baseline_result(baseline, context, 100)
        assert np.isnan(result.beaten_pct)
        assert np.isfinite(result.return_pct)


def test_baselines_are_reproducible() -> None:
    context, by_name = comparison("long")
    again = list(baselines(context))
    assert len(again) == BASELINE_COUNT
    for each in again:
        for draw, first in zip(each.draws, by_name[each.name].draws, strict=True):
            np.testing.assert_array_equal(draw.net, first.net)
