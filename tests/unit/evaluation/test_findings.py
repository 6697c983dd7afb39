from typing import Any

import pytest

from coinfarm.evaluation.findings import summary
from coinfarm.models.evaluation_document import Evaluation
from coinfarm.outputs import OUTPUT_NAMES
from tests.support.evaluation_documents import evaluation_json

Bounds = tuple[float, float]
ABOVE, AROUND, BELOW = (2.0, 6.0), (-1.0, 3.0), (-6.0, -2.0)
"""Intervals: by how many percent the model's errors are smaller, or its accuracy is higher, than a baseline's."""


def accuracy(right_pct: float | None, interval_pct: Bounds | None) -> dict[str, Any]:
    overall = {"frames": 100, "right_pct": right_pct, "interval_pct": interval_pct}
    return {"overall": overall, "strongest": overall}


def scores(r2: float) -> dict[str, Any]:
    return {"r2": r2, "mean_absolute_error_pct": 0.3, "rank_correlation": 0.2}


def output(r2: float) -> dict[str, Any]:
    daily = {"mean": 0.1, "t_statistic": 3.0, "days": 61}
    return {**scores(r2), "r2_interval": (r2 - 0.02, r2 + 0.02), "daily_rank_correlation": daily}


def baseline(r2: float, rise: Bounds, decline: Bounds, **direction: Any) -> dict[str, Any]:
    reductions = zip(OUTPUT_NAMES, (rise, decline, AROUND), strict=True)
    direction = {"frames": 100, **direction}
    return {
        "outputs": {
            name: {**scores(r2), "model_error_reduction_pct": sum(bounds) / 2, "model_error_reduction_interval_pct": bounds}
            for name, bounds in reductions
        },
        "direction": direction,
        "rise_over_decline": direction,
    }


TREES = baseline(0.05, ABOVE, ABOVE)


def evaluation(
    direction: dict[str, Any], rise: Bounds = ABOVE, decline: Bounds = ABOVE, lead: Bounds = ABOVE, in_sample: int | None = 0, **fields: Any
) -> Evaluation:
    counts = {"windows": 3000, "evaluated": 3000, "in_sample": in_sample, "without_prediction": 0, "without_horizon": 0}
    ridge = {"right_pct": 51, "interval_pct": (50, 52), "model_lead_pct": 1.0, "model_lead_interval_pct": lead}
    document = {
        **evaluation_json("20260101-00000000", frames=3000, includesInSample=False),
        "interval": "1m",
        "horizon_candles": 30,
        "candle_files": (),
        "counts": {**counts, "effective": 100.0 * fields.get("stride", 10)},
        "mean_absolute_end_change_pct": 0.4,
        "outputs": {name: output(r2) for name, r2 in zip(OUTPUT_NAMES, (0.14, 0.13, 0.0), strict=True)},
        "direction": direction,
        "rise_over_decline": direction,
        "baselines": {"zero": baseline(-0.5, ABOVE, ABOVE), "ridge": baseline(0.1, rise, decline, **ridge), "gradientBoosting": TREES},
        "baseline_fit": {"frames": 10, "stride": 10, "before_ms": {"BTCUSD": 0}},
        "bootstrap": {"level": 0.9, "samples": 1000, "block_candles": 230, "seed": 0},
    }
    return Evaluation.model_validate(document | fields)


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
def test_headline_and_tone(found: Evaluation, tone: str, named: list[str]) -> None:
    result = summary(found)
    assert [text for text in named if text not in result.headline] == []
    assert result.tone == tone


def test_reasons_have_the_scores_with_their_intervals() -> None:
    """The one snapshot of the texts."""
    assert summary(evaluation(BETTER, decline=BELOW)).reasons == (
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
    ("rise", "decline", "named"),
    [
        pytest.param(AROUND, ABOVE, "gradient-boosted trees", id="the rise as well as trees"),
        pytest.param(AROUND, BELOW, "gradient-boosted trees", id="neither better than trees"),
    ],
)
@pytest.mark.parametrize("r2", [0.05, 0.12], ids=["worse than ridge", "the best baseline"])
def test_the_headline_says_if_trees_are_not_beaten(rise: Bounds, decline: Bounds, named: str, r2: float) -> None:
    baselines = {"ridge": baseline(0.1, AROUND, AROUND, right_pct=51), "gradientBoosting": baseline(r2, rise, decline, right_pct=51)}
    assert named in summary(evaluation(EQUAL, baselines=baselines)).headline
    beaten = {**baselines, "gradientBoosting": baseline(r2, ABOVE, ABOVE, right_pct=51)}
    assert named not in summary(evaluation(EQUAL, baselines=beaten)).headline


SHORT = {name: {**output(0.1), "r2_interval": None, "effective_blocks": 6.5} for name in OUTPUT_NAMES}


@pytest.mark.parametrize(
    ("found", "named"),
    [
        pytest.param(evaluation(BETTER, stride=30), "3,000 frames amount to at most 3,000", id="no overlap"),
        pytest.param(evaluation(BETTER, in_sample=None), "training data", id="unknown training data"),
        pytest.param(evaluation(BETTER, in_sample=7), "7 windows", id="in-sample windows left out"),
        pytest.param(evaluation(BETTER, includesInSample=True), "as requested", id="in-sample windows included"),
        pytest.param(evaluation(BETTER, baseline_fit=None), "--baseline-candles", id="no fitted baselines"),
        pytest.param(evaluation(BETTER, outputs=SHORT), "6.5 for the max rise", id="too few days for an interval"),
    ],
)
def test_cautions(found: Evaluation, named: str) -> None:
    assert any(named in reason for reason in summary(found).reasons)
