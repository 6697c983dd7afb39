from datetime import date

import pytest

from coinfarm.evaluation.findings import verdict
from coinfarm.models import evaluation_document

Bounds = tuple[float, float]
VERSION = "20260101-00000000"
ABOVE, AROUND, BELOW = (2.0, 6.0), (-1.0, 3.0), (-6.0, -2.0)
"""Intervals: by how many percent the model's errors are smaller, or its accuracy is higher, than a baseline's."""


def output(r2: float) -> evaluation_document.OutputMetrics:
    return evaluation_document.OutputMetrics(
        r2=r2,
        mean_absolute_error_pct=0.3,
        rank_correlation=0.2,
        r2_interval=(r2 - 0.02, r2 + 0.02),
        daily_rank_correlation=evaluation_document.DailyRankCorrelation(mean=0.1, t_statistic=3.0, days=61),
    )


def accuracy(right_pct: float | None, interval_pct: Bounds | None) -> evaluation_document.DirectionAccuracy:
    overall = evaluation_document.Accuracy(frames=100, right_pct=right_pct, interval_pct=interval_pct)
    return evaluation_document.DirectionAccuracy(overall=overall, strongest=overall)


def baseline(r2: float, rise: Bounds, decline: Bounds, lead: Bounds | None) -> evaluation_document.Baseline:
    """Without a lead the baseline predicts no direction."""

    def scores(bounds: Bounds) -> evaluation_document.BaselineOutput:
        return evaluation_document.BaselineOutput(
            r2=r2,
            mean_absolute_error_pct=0.3,
            rank_correlation=0.2,
            model_error_reduction_pct=sum(bounds) / 2,
            model_error_reduction_interval_pct=bounds,
        )

    direction = evaluation_document.BaselineAccuracy(frames=100)
    if lead is not None:
        direction = evaluation_document.BaselineAccuracy(
            frames=100, right_pct=51, interval_pct=(50, 52), model_lead_pct=1.0, model_lead_interval_pct=lead
        )
    return evaluation_document.Baseline(
        outputs={"maxRisePct": scores(rise), "maxDeclinePct": scores(decline), "endChangePct": scores(AROUND)},
        direction=direction,
        rise_over_decline=direction,
    )


def evaluation(
    direction: evaluation_document.DirectionAccuracy,
    rise: Bounds = ABOVE,
    decline: Bounds = ABOVE,
    lead: Bounds = ABOVE,
    in_sample: int | None = 0,
    stride: int = 10,
    fitted: bool = True,
    includes_in_sample: bool = False,
) -> evaluation_document.Evaluation:
    return evaluation_document.Evaluation(
        model=evaluation_document.EvaluatedModel(name="fake", version=VERSION, engine="fake"),
        from_date=date(2020, 1, 1),
        to_date=date(2020, 3, 1),
        interval="1m",
        stride=stride,
        horizon_candles=30,
        candles={"BTCUSD": "b" * 64},
        candle_files=(),
        includes_in_sample=includes_in_sample,
        frames=3000,
        counts=evaluation_document.Counts(
            windows=3000, evaluated=3000, in_sample=in_sample, without_prediction=0, without_horizon=0, effective=100.0 * stride
        ),
        mean_absolute_end_change_pct=0.4,
        outputs={"maxRisePct": output(0.14), "maxDeclinePct": output(0.13), "endChangePct": output(0.0)},
        direction=direction,
        rise_over_decline=direction,
        baselines={"zero": baseline(-0.5, ABOVE, ABOVE, None), "ridge": baseline(0.1, rise, decline, lead)},
        baseline_fit=evaluation_document.BaselineFit(frames=10, stride=10, before_ms={"BTCUSD": 0}) if fitted else None,
        bootstrap=evaluation_document.Bootstrap(level=0.9, samples=1000, block_candles=230, seed=0),
    )


BETTER, EQUAL, WORSE = accuracy(53.0, (52.0, 54.0)), accuracy(51.0, (49.5, 52.5)), accuracy(47.0, (46.0, 48.0))


@pytest.mark.parametrize(
    ("found", "tone", "named"),
    [
        pytest.param(evaluation(BETTER), "good", ["53.0 %"], id="better in everything"),
        pytest.param(evaluation(BETTER, lead=AROUND), "neutral", ["53.0 %", "ridge regression (51.0 %)"], id="direction like a ridge"),
        pytest.param(evaluation(EQUAL), "neutral", ["51.0 %"], id="direction like a coin toss"),
        pytest.param(evaluation(EQUAL, decline=AROUND), "neutral", ["rise", "ridge regression"], id="only the rise"),
        pytest.param(evaluation(EQUAL, rise=AROUND, decline=BELOW), "bad", ["ridge regression"], id="nothing"),
        pytest.param(evaluation(WORSE), "neutral", ["47.0 %"], id="direction worse than a coin toss"),
        pytest.param(evaluation(accuracy(60.0, None)), "neutral", ["too short"], id="period too short"),
        pytest.param(evaluation(accuracy(None, None)), "neutral", ["no direction"], id="no direction predicted"),
    ],
)
def test_headline_and_tone(found: evaluation_document.Evaluation, tone: str, named: list[str]) -> None:
    result = verdict(found)
    assert [text for text in named if text not in result.headline] == []
    assert result.tone == tone


def test_reasons_have_the_scores_with_their_intervals() -> None:
    """The one snapshot of the texts."""
    assert verdict(evaluation(BETTER, decline=BELOW)).reasons == (
        "R² of the max rise 0.140 [0.120, 0.160]; the best baseline, a ridge regression, has 0.100. "
        "The model's squared errors are 4.0 % [2.0, 6.0] smaller.",
        "R² of the max decline 0.130 [0.110, 0.150]; the best baseline, a ridge regression, has 0.100. "
        "The model's squared errors are 4.0 % [2.0, 6.0] larger.",
        "R² of the end change 0.000 [−0.020, 0.020], not distinguishable from zero; "
        "its daily rank correlation is 0.100 on average over 61 days (t-statistic 3.0).",
        "The direction is correct in 53.0 % [52.0, 54.0] of 100 frames, and in 53.0 % [52.0, 54.0] of the 5 % with the strongest "
        "predictions. This is not a profit: use coinfarm backtest to include the costs of trading.",
        "Labels of 30 candles overlap: the 3,000 frames amount to at most 1,000 independent observations, fewer as coins move together.",
    )


@pytest.mark.parametrize(
    ("found", "named"),
    [
        pytest.param(evaluation(BETTER, stride=30), "3,000 frames amount to at most 3,000", id="no overlap"),
        pytest.param(evaluation(BETTER, in_sample=None), "training data", id="unknown training data"),
        pytest.param(evaluation(BETTER, in_sample=7), "7 windows", id="in-sample windows left out"),
        pytest.param(evaluation(BETTER, includes_in_sample=True), "as requested", id="in-sample windows included"),
        pytest.param(evaluation(BETTER, fitted=False), "--baseline-candles", id="no fitted baselines"),
    ],
)
def test_cautions(found: evaluation_document.Evaluation, named: str) -> None:
    assert any(named in reason for reason in verdict(found).reasons)
