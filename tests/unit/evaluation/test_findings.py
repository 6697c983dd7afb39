"""The words that figures are put into, from figures made up to try them."""

from datetime import date

import pytest

from coinfarm.evaluation.display_names import between, number, percent
from coinfarm.evaluation.findings import verdict
from coinfarm.models import evaluation_document

Bounds = tuple[float, float]
VERSION = "20260101-00000000"
ABOVE, AROUND, BELOW = (2.0, 6.0), (-1.0, 3.0), (-6.0, -2.0)
"""By how many percent the model's errors are smaller, or its directions right more often, than a baseline's."""


def output(r2: float) -> evaluation_document.OutputMetrics:
    return evaluation_document.OutputMetrics(
        r2=r2,
        mean_absolute_error_pct=0.3,
        rank_correlation=0.2,
        r2_interval=(r2 - 0.02, r2 + 0.02),
        daily_rank_correlation=evaluation_document.DailyRankCorrelation(mean=0.1, t_statistic=3.0, days=61, by_day={}),
        calibration=evaluation_document.Calibration(slope=1, intercept_pct=0, deciles=()),
    )


def calls(right_pct: float | None, interval_pct: Bounds | None) -> evaluation_document.DirectionAccuracy:
    share = evaluation_document.Accuracy(frames=100, right_pct=right_pct, interval_pct=interval_pct)
    return evaluation_document.DirectionAccuracy(overall=share, strongest=share, by_coin={}, by_month={}, by_hour={}, by_volatility={})


def baseline(r2: float, rise: Bounds, decline: Bounds, lead: Bounds | None) -> evaluation_document.Baseline:
    """Without a lead the baseline tells no direction."""

    def scores(bounds: Bounds) -> evaluation_document.BaselineOutput:
        return evaluation_document.BaselineOutput(
            r2=r2,
            mean_absolute_error_pct=0.3,
            rank_correlation=0.2,
            model_error_reduction_pct=sum(bounds) / 2,
            model_error_reduction_interval_pct=bounds,
        )

    silent = {"right_pct": None, "interval_pct": None, "model_lead_pct": None, "model_lead_interval_pct": None}
    told = {"right_pct": 51, "interval_pct": (50, 52), "model_lead_pct": 1.0, "model_lead_interval_pct": lead}
    share = evaluation_document.BaselineAccuracy.model_validate({"frames": 100, **(told if lead else silent)})
    return evaluation_document.Baseline(
        outputs={"maxRisePct": scores(rise), "maxDeclinePct": scores(decline), "endChangePct": scores(AROUND)},
        direction=share,
        rise_over_decline=share,
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
            windows=3000, judged=3000, in_sample=in_sample, without_prediction=0, without_horizon=0, effective=100.0 * stride
        ),
        mean_absolute_end_change_pct=0.4,
        outputs={"maxRisePct": output(0.14), "maxDeclinePct": output(0.13), "endChangePct": output(0.0)},
        direction=direction,
        rise_over_decline=direction,
        baselines={"zero": baseline(-0.5, ABOVE, ABOVE, None), "ridge": baseline(0.1, rise, decline, lead)},
        baseline_fit=evaluation_document.BaselineFit(frames=10, stride=10, before_ms={"BTCUSD": 0}) if fitted else None,
        bootstrap=evaluation_document.Bootstrap(level=0.9, samples=1000, block_candles=230, seed=0),
    )


RIGHT, TOSS, WRONG = calls(53.0, (52.0, 54.0)), calls(51.0, (49.5, 52.5)), calls(47.0, (46.0, 48.0))


@pytest.mark.parametrize(
    ("found", "tone", "said"),
    [
        pytest.param(
            evaluation(RIGHT),
            "good",
            "The model predicts rise and decline better than every baseline. "
            "Its direction is correct in 53.0 %, more often than a coin toss and than every baseline.",
            id="better in all",
        ),
        pytest.param(
            evaluation(RIGHT, lead=AROUND),
            "neutral",
            "more often than a coin toss, but not clearly more often than a ridge regression (51.0 %).",
            id="a direction that a ridge tells as well",
        ),
        pytest.param(
            evaluation(TOSS),
            "neutral",
            "Its direction is no better than a coin toss (51.0 % correct).",
            id="sizes only",
        ),
        pytest.param(
            evaluation(TOSS, decline=AROUND),
            "neutral",
            "The model predicts the rise better than every baseline, but the decline not clearly better than a ridge regression.",
            id="the rise only",
        ),
        pytest.param(
            evaluation(TOSS, rise=AROUND, decline=BELOW),
            "bad",
            "The model does not predict rise and decline clearly better than a ridge regression.",
            id="nothing",
        ),
        pytest.param(evaluation(WRONG), "neutral", "correct in 47.0 %, less often than a coin toss.", id="worse than a coin"),
        pytest.param(
            evaluation(calls(60.0, None)), "neutral", "The period is too short for a statement about the direction.", id="too short"
        ),
        pytest.param(evaluation(calls(None, None)), "neutral", "It predicts no direction.", id="no direction told"),
    ],
)
def test_the_headline_claims_what_chance_and_baselines_do_not_explain(found: evaluation_document.Evaluation, tone: str, said: str) -> None:
    judged = verdict(found)
    assert said in judged.headline
    assert judged.tone == tone


def test_the_reasons_give_the_figures_with_their_intervals() -> None:
    reasons = verdict(evaluation(RIGHT, decline=BELOW)).reasons
    assert reasons[0] == (
        "R² of the max rise 0.140 [0.120, 0.160]; the best baseline, a ridge regression, has 0.100. "
        "The model's squared errors are 4.0 % [2.0, 6.0] smaller."
    )
    assert reasons[1].endswith("The model's squared errors are 4.0 % [2.0, 6.0] larger.")
    assert reasons[2] == (
        "R² of the end change 0.000 [−0.020, 0.020], not distinguishable from zero; "
        "its daily rank correlation is 0.100 on average over 61 days (t-statistic 3.0)."
    )
    assert reasons[3].startswith("The direction is correct in 53.0 % [52.0, 54.0] of 100 frames, and in 53.0 % [52.0, 54.0] of the 5 %")


@pytest.mark.parametrize(
    ("found", "caution"),
    [
        pytest.param(evaluation(RIGHT), "Labels of 30 candles overlap: the 3,000 frames amount to at most 1,000", id="overlap"),
        pytest.param(evaluation(RIGHT, stride=30), "As coins move together, the 3,000 frames amount to at most 3,000", id="no overlap"),
        pytest.param(evaluation(RIGHT, in_sample=None), "does not say what it was trained on", id="unknown past"),
        pytest.param(evaluation(RIGHT, in_sample=7), "7 windows begin before the training cut-off and were left out", id="left out"),
        pytest.param(evaluation(RIGHT, includes_in_sample=True), "may have been trained on them", id="in-sample asked for"),
        pytest.param(evaluation(RIGHT, fitted=False), "there are no fitted baselines", id="nothing to fit"),
    ],
)
def test_what_weakens_the_figures_is_said_with_them(found: evaluation_document.Evaluation, caution: str) -> None:
    assert any(caution in reason for reason in verdict(found).reasons)


def test_numbers_have_a_minus_that_is_one_and_no_negative_zero() -> None:
    assert [number(-0.25), number(-0.0001), number(None), number(0.5, 1)] == ["−0.250", "0.000", "–", "0.5"]
    assert [between((-1.0, 2.0), 1), between(None), percent(53.32), percent(None)] == ["[−1.0, 2.0]", "", "53.3 %", "–"]
