"""The findings of an evaluation in words. A claim needs an interval that excludes chance and the baselines."""

from coinfarm.evaluation import boosted_trees
from coinfarm.evaluation.baseline_names import BASELINE_TITLES
from coinfarm.extras import how_to_install
from coinfarm.models.evaluation_document import Evaluation
from coinfarm.models.evaluation_scores import DirectionAccuracy
from coinfarm.outputs import OUTPUT_TITLES
from coinfarm.reports.formatting import bounds_text, percent_text, plural_text, score_text
from coinfarm.reports.page import Summary, Tone

COIN_TOSS_PCT = 50.0
_MOVES = ("maxRisePct", "maxDeclinePct")
_TREES = "gradientBoosting"
_NOUNS = {"maxRisePct": "rise", "maxDeclinePct": "decline"}


def summary(evaluation: Evaluation) -> Summary:
    """A headline, with the scores that support it."""
    beaten = [name for name in _MOVES if not _unbeaten(evaluation, name)]
    direction = _against_a_coin_toss(evaluation.direction)
    tone: Tone = "neutral"
    if len(beaten) == len(_MOVES) and direction == "better" and not _unbeaten_in_direction(evaluation):
        tone = "good"
    elif not beaten and direction != "better":
        tone = "bad"
    reasons = [*(_move_reason(evaluation, name) for name in _MOVES), _end_reason(evaluation), _direction_reason(evaluation)]
    headline = f"{_moves_headline(evaluation, beaten)} {_direction_headline(evaluation, direction)}"
    if (nouns := _not_better_than_trees(evaluation)) and _phrase(_TREES) not in headline:
        headline += f" It does not clearly beat {_phrase(_TREES)} at the {' and the '.join(nouns)}."
    return Summary(headline, (*reasons, *_cautions(evaluation)), tone)


def best_baseline(evaluation: Evaluation, output: str) -> str:
    """The baseline with the highest R² of an output."""
    return _highest_r2(evaluation, output, list(evaluation.baselines))


def best_direction_baseline(evaluation: Evaluation) -> str:
    """The baseline whose direction is correct most often."""
    return _most_accurate(evaluation, list(evaluation.baselines))


def _unbeaten(evaluation: Evaluation, output: str) -> list[str]:
    """The baselines that the model does not clearly beat in this output."""
    bounds = {name: each.outputs[output].model_error_reduction_interval_pct for name, each in evaluation.baselines.items()}
    return [name for name, reduction in bounds.items() if reduction is None or reduction[0] <= 0]


def _not_better_than_trees(evaluation: Evaluation) -> list[str]:
    """What the strongest cheap baseline predicts as well as the model."""
    return [_NOUNS[output] for output in _MOVES if _TREES in _unbeaten(evaluation, output)]


def _unbeaten_in_direction(evaluation: Evaluation) -> list[str]:
    leads = {
        name: baseline.direction.model_lead_interval_pct
        for name, baseline in evaluation.baselines.items()
        if baseline.direction.right_pct is not None
    }
    return [name for name, lead in leads.items() if lead is None or lead[0] <= 0]


def _highest_r2(evaluation: Evaluation, output: str, names: list[str]) -> str:
    def r2(name: str) -> float:
        value = evaluation.baselines[name].outputs[output].r2
        return float("-inf") if value is None else value

    return max(names, key=r2)


def _most_accurate(evaluation: Evaluation, names: list[str]) -> str:
    return max(names, key=lambda name: evaluation.baselines[name].direction.right_pct or 0.0)


def _against_a_coin_toss(accuracy: DirectionAccuracy) -> str:
    bounds = accuracy.overall.interval_pct
    if bounds is None:
        return "unknown"
    if bounds[0] > COIN_TOSS_PCT:
        return "better"
    return "worse" if bounds[1] < COIN_TOSS_PCT else "the same"


def _moves_headline(evaluation: Evaluation, beaten: list[str]) -> str:
    if len(beaten) == len(_MOVES):
        return "The model predicts rise and decline better than every baseline."
    others = [name for name in _MOVES if name not in beaten]
    if beaten:
        name = _highest_r2(evaluation, others[0], _unbeaten(evaluation, others[0]))
        return (
            f"The model predicts the {_NOUNS[beaten[0]]} better than every baseline, but the {_NOUNS[others[0]]} not clearly better than "
            f"{_phrase(name)}."
        )
    names = dict.fromkeys(_phrase(_highest_r2(evaluation, output, _unbeaten(evaluation, output))) for output in others)
    return f"The model does not predict rise and decline clearly better than {' or '.join(names)}."


def _direction_headline(evaluation: Evaluation, direction: str) -> str:
    accuracy = evaluation.direction.overall
    if accuracy.right_pct is None:
        return "It predicts no direction."
    if direction == "unknown":
        return "The period is too short for a statement about the direction."
    if direction == "the same":
        return f"Its direction is no better than a coin toss ({percent_text(accuracy.right_pct)} correct)."
    if direction == "worse":
        return f"Its direction is correct in {percent_text(accuracy.right_pct)}, less often than a coin toss."
    text = f"Its direction is correct in {percent_text(accuracy.right_pct)}, more often than a coin toss"
    unbeaten = _unbeaten_in_direction(evaluation)
    if not unbeaten:
        return f"{text} and than every baseline."
    name = _most_accurate(evaluation, unbeaten)
    return f"{text}, but not clearly more often than {_phrase(name)} ({percent_text(evaluation.baselines[name].direction.right_pct)})."


def _move_reason(evaluation: Evaluation, output: str) -> str:
    model = evaluation.outputs[output]
    name = best_baseline(evaluation, output)
    baseline = evaluation.baselines[name].outputs[output]
    text = (
        f"R² of the {OUTPUT_TITLES[output]} {score_text(model.r2)}{_spaced(bounds_text(model.r2_interval))}; "
        f"the best baseline, {_phrase(name)}, has {score_text(baseline.r2)}."
    )
    reduction, bounds = baseline.model_error_reduction_pct, baseline.model_error_reduction_interval_pct
    if reduction is None:
        return text
    if reduction < 0:
        reduction, bounds, word = -reduction, None if bounds is None else (-bounds[1], -bounds[0]), "larger"
    else:
        word = "smaller"
    return f"{text} The model's squared errors are {percent_text(reduction, bounds)} {word}."


def _end_reason(evaluation: Evaluation) -> str:
    end = evaluation.outputs["endChangePct"]
    daily = end.daily_rank_correlation
    text = f"R² of the end change {score_text(end.r2)}{_spaced(bounds_text(end.r2_interval))}"
    if end.r2_interval is not None and end.r2_interval[0] <= 0:
        text += ", not distinguishable from zero"
    if daily.mean is None:
        return f"{text}."
    statistic = "" if daily.t_statistic is None else f" (t-statistic {score_text(daily.t_statistic, 1)})"
    return f"{text}; its daily rank correlation is {score_text(daily.mean)} on average over {plural_text(daily.days, 'day')}{statistic}."


def _direction_reason(evaluation: Evaluation) -> str:
    overall, strongest = evaluation.direction.overall, evaluation.direction.strongest
    if overall.right_pct is None:
        return "The model predicts no change at all, so it has no direction."
    return (
        f"The direction is correct in {percent_text(overall.right_pct, overall.interval_pct)} of {overall.frames:,} frames, and in "
        f"{percent_text(strongest.right_pct, strongest.interval_pct)} of the 5 % with the strongest predictions. "
        "This is not a profit: use coinfarm backtest to include the costs of trading."
    )


def _cautions(evaluation: Evaluation) -> list[str]:
    counts = evaluation.counts
    overlap = f"the {counts.evaluated:,} frames amount to at most {counts.effective:,.0f} independent observations"
    if counts.effective < counts.evaluated:
        overlap = f"Labels of {evaluation.horizon_candles} candles overlap: {overlap}, fewer as coins move together."
    else:
        overlap = f"As coins move together, {overlap}."
    cautions = [overlap, *_short_period(evaluation)]
    if counts.in_sample is None:
        cautions.append("The training data of the model is unknown: these frames may be among its training data.")
    elif evaluation.includes_in_sample:
        cautions.append("Frames from before the training cutoff are included, as requested: the model may have been trained on them.")
    elif counts.in_sample:
        cautions.append(f"{counts.in_sample:,} windows begin before the training cutoff and were left out.")
    if evaluation.baseline_fit is None:
        cautions.append(
            "Without candles from before the training cutoff there are no fitted baselines (mean, constant × range, HAR, ridge, trees): "
            "the comparison is with the other baselines only. To add them, use --baseline-candles."
        )
    elif _TREES not in evaluation.baselines:
        cautions.append(
            f"The strongest cheap baseline, {_phrase(_TREES)}, is left out, because scikit-learn is not installed: "
            f"{how_to_install(boosted_trees.PACKAGE)}."
        )
    return cautions


def _short_period(evaluation: Evaluation) -> list[str]:
    worth = {OUTPUT_TITLES[name]: output.effective_blocks for name, output in evaluation.outputs.items() if output.r2_interval is None}
    known = [f"{blocks:.1f} for the {title}" for title, blocks in worth.items() if blocks is not None]
    if not known:
        return []
    return [
        f"Days depend on each other, so the period is worth few independent blocks of days: {', '.join(known)}. An interval of R² needs "
        f"{evaluation.bootstrap.min_blocks}: evaluate a longer period."
    ]


def _phrase(name: str) -> str:
    """The baseline, with its article, as part of a sentence."""
    named = {
        "har": "a HAR model of volatility",
        "ridge": "a ridge regression",
        "gradientBoosting": "gradient-boosted trees",
        "trainingMean": "the training mean",
        "constantTimesRange": "a constant times the range",
        "persistence": "persistence (the last candles' move again)",
        "reversal": "reversal (the opposite of the last candles' move)",
    }
    return named.get(name, BASELINE_TITLES[name])


def _spaced(text: str) -> str:
    return f" {text}" if text else ""
