"""Paper trades are those of a backtest of the same predictions."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from coinfarm.backtesting.backtest import backtest_coins
from coinfarm.backtesting.market_data import ExclusionCounts
from coinfarm.backtesting.strategy import Strategy
from coinfarm.candles.gaps import fill_gaps
from coinfarm.evaluation.evaluate import score_frames
from coinfarm.evaluation.evaluation_frames import EvaluationSpec, predict_frames
from coinfarm.live.live_rows import joined_rows
from coinfarm.models.live_reference import PaperRecord, TradeFigures
from coinfarm.scorecard.live_outcomes import LiveOutcomes, live_outcomes
from coinfarm.scorecard.model_record import ModelHorizon
from coinfarm.scorecard.paper_trading import PaperStrategy, paper_profit, predicted_coins_of, with_paper_trading
from coinfarm.scorecard.scorecard_document import PaperProfit
from tests.support.evaluated_models import ChecksumEngine, predictor_of
from tests.support.live_predictions import HORIZON, VERSION, candles_of, predictions_of, rows_of

THRESHOLDS = {"min_end_change_pct": 0.05, "min_rise_to_decline": 1.0}
SET = Strategy.model_validate({"name": "mine", "entry": THRESHOLDS, "market": {"min_order": 0.0}})
EVALUATED = PaperRecord(**THRESHOLDS, figures=TradeFigures(days=10, trades=50))


@pytest.fixture(scope="module")
def outcomes() -> LiveOutcomes:
    coins = [candles_of(symbol, 20, seed) for symbol, seed in (("DEMO1", 1), ("DEMO2", 2))]
    rows = joined_rows([rows_of(candles, predictions_of(candles, 0.3), VERSION) for candles in coins])
    return live_outcomes(rows, "15m", VERSION, ModelHorizon(HORIZON, ("max_rise_pct", "max_decline_pct", "end_change_pct")), 0, 2**60)


def traded(outcomes: LiveOutcomes, strategy: Strategy = SET, evaluated: PaperRecord | None = None) -> PaperProfit:
    found = paper_profit(PaperStrategy(strategy), outcomes, HORIZON, evaluated)
    assert found is not None
    return found


def test_trades_as_a_backtest_does_with_its_costs(outcomes: LiveOutcomes) -> None:
    found = traded(outcomes)
    coins = predicted_coins_of(outcomes.candles, outcomes.observations, outcomes.predicted_pct)
    assert all(
        (coin.candles.open_time[coin.signal] + 899_999).tolist() == each for coin, each in zip(coins, close_times(outcomes), strict=True)
    )
    expected = backtest_coins(coins, ExclusionCounts(len(outcomes), 0, 0, 0, 0, 0), SET, interval="15m", check_leaks=False)
    assert found.live.trades == expected.statistics.trades > 20
    assert found.live.average_trade_after_cost_bps == pytest.approx(expected.statistics.average_trade_after_cost_bps, abs=1e-5)
    assert found.live.average_cost_bps == pytest.approx(expected.statistics.average_cost_bps, abs=1e-5)
    assert (found.live.average_cost_bps or 0) > 15
    assert found.equity[-1].equity == pytest.approx(1 + (found.live.return_pct or 0) / 100, abs=1e-5)
    assert (found.strategy, found.chosen_on, found.evaluated, found.thresholds) == ("mine", "strategy", None, (0.05, 1.0))
    assert found.baselines[0].name == "buy and hold"


def close_times(outcomes: LiveOutcomes) -> list[list[int]]:
    symbols = outcomes.observations.symbols
    return [outcomes.observations.close_time[symbols == symbol].tolist() for symbol in ("DEMO1", "DEMO2")]


def test_late_predictions_are_counted_and_not_traded(outcomes: LiveOutcomes) -> None:
    late = np.arange(len(outcomes)) % 2 == 0
    found = traded(replace(outcomes, predicted_at=outcomes.predicted_at + np.where(late, 60_000, 0)))
    assert (found.late, found.in_time) == (late.sum(), (~late).sum())
    rows = replace(
        outcomes,
        observations=outcomes.observations.rows(~late),
        predicted_pct=outcomes.predicted_pct[~late],
        predicted_at=outcomes.predicted_at[~late],
    )
    assert found.live == traded(rows).live
    never = replace(outcomes, predicted_at=outcomes.predicted_at + 10**9)
    assert paper_profit(PaperStrategy(SET), never, HORIZON, None) is None


def test_the_default_strategy_has_the_thresholds_of_the_evaluation(outcomes: LiveOutcomes) -> None:
    found = traded(outcomes, Strategy(), EVALUATED)
    assert (found.thresholds, found.chosen_on, found.evaluated) == ((0.05, 1.0), "evaluation", EVALUATED.figures)
    without = traded(outcomes, Strategy())
    assert (without.chosen_on, without.evaluated) == ("live", None)
    assert without.live.days < found.live.days


def test_a_strategy_trades_its_own_horizon(outcomes: LiveOutcomes) -> None:
    strategy = Strategy.model_validate({"entry": THRESHOLDS, "exit": {"horizon_candles": 10}})
    assert paper_profit(PaperStrategy(strategy), outcomes, HORIZON, None) is None
    assert paper_profit(PaperStrategy(strategy), outcomes, 10, None) is not None


def test_few_predictions_cannot_choose_thresholds(outcomes: LiveOutcomes) -> None:
    few = replace(
        outcomes, observations=outcomes.observations.rows(np.arange(len(outcomes)) < 2), predicted_pct=outcomes.predicted_pct[:2],
        predicted_at=outcomes.predicted_at[:2],
    )  # fmt: skip
    falling = replace(few, predicted_pct=-np.abs(few.predicted_pct))
    assert paper_profit(PaperStrategy(), falling, HORIZON, None) is None


def test_an_evaluation_gets_the_thresholds_and_figures_of_its_frames(tmp_path: Path) -> None:
    coins = [candles_of(symbol, 30, seed) for symbol, seed in (("DEMO1", 1), ("DEMO2", 2))]
    predictor, spec = predictor_of(tmp_path / "bundle", ChecksumEngine()), EvaluationSpec(date(2020, 1, 1), date(2020, 1, 31))
    frames = predict_frames(predictor, coins, spec)
    evaluation = with_paper_trading(score_frames(frames, predictor, coins, spec), frames, coins, spec)
    assert evaluation.live_reference is not None
    paper = evaluation.live_reference.paper
    assert paper is not None
    chosen = backtest_coins(
        predicted_coins_of([fill_gaps(each) for each in coins], frames.observations, frames.predicted_pct),
        ExclusionCounts(evaluation.frames, 0, 0, 0, 0, 0),
        Strategy(),
        interval="15m",
        check_leaks=False,
    )
    assert (paper.min_end_change_pct, paper.min_rise_to_decline) == pytest.approx(chosen.folds[-1].thresholds, abs=1e-5)
    assert paper.figures.trades == chosen.statistics.trades > 0
