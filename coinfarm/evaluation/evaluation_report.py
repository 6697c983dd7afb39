"""An evaluation as an HTML page."""

from coinfarm.evaluation import evaluation_sections
from coinfarm.evaluation.baseline_names import BASELINE_TITLES
from coinfarm.evaluation.evaluation_frames import EvaluationFrames
from coinfarm.evaluation.findings import COIN_TOSS_PCT, best_baseline, best_direction_baseline, verdict
from coinfarm.models.evaluation_document import Accuracy, BaselineAccuracy, Evaluation
from coinfarm.outputs import OUTPUT_TITLES
from coinfarm.reports.formatting import bounds_text, percent_text, score_text
from coinfarm.reports.page import Page, Tile, Tone


def page(evaluation: Evaluation, frames: EvaluationFrames) -> Page:
    """The page of one evaluation; the frames are for the plot of predictions against outcomes."""
    model = evaluation.model
    return Page(
        title=f"Evaluation of the model “{model.name}”",
        subtitle=f"Version {model.version} on {model.engine} · {', '.join(evaluation.candles)}, {evaluation.interval} candles · "
        f"{evaluation.from_date} up to {evaluation.to_date}, the last day not included · {_every(evaluation.stride)}",
        verdict=verdict(evaluation),
        tiles=_tiles(evaluation),
        sections=(
            evaluation_sections.baselines_section(evaluation),
            evaluation_sections.calibration_section(evaluation, frames),
            evaluation_sections.direction_section(evaluation),
            evaluation_sections.daily_section(evaluation),
            evaluation_sections.method_section(evaluation),
        ),
        footer=f"Made by coinfarm evaluate from {', '.join(evaluation.candle_files) or 'candles in memory'}; "
        "the same model and candles make the same page.",
    )


def _tiles(evaluation: Evaluation) -> tuple[Tile, ...]:
    tiles = []
    for name in ("maxRisePct", "maxDeclinePct"):
        best = best_baseline(evaluation, name)
        baseline = evaluation.baselines[best].outputs[name]
        tiles.append(
            Tile(
                f"R² of the {OUTPUT_TITLES[name]}",
                score_text(evaluation.outputs[name].r2),
                f"{BASELINE_TITLES[best]}: {score_text(baseline.r2)}",
                _error_tone(baseline.model_error_reduction_interval_pct),
            )
        )
    best = best_direction_baseline(evaluation)
    overall, rise_over_decline = evaluation.direction.overall, evaluation.rise_over_decline.overall
    return (
        *tiles,
        Tile(
            "Direction correct",
            percent_text(overall.right_pct),
            f"{BASELINE_TITLES[best]}: {percent_text(evaluation.baselines[best].direction.right_pct)}",
            _accuracy_tone(overall, [each.direction for each in evaluation.baselines.values()]),
        ),
        Tile(
            "Rise > decline correct",
            percent_text(rise_over_decline.right_pct),
            bounds_text(rise_over_decline.interval_pct, 1),
            _accuracy_tone(rise_over_decline, [each.rise_over_decline for each in evaluation.baselines.values()]),
        ),
        Tile("Frames", f"{evaluation.frames:,}", f"at most {evaluation.counts.effective:,.0f} independent"),
    )


def _error_tone(reduction: tuple[float, float] | None) -> Tone:
    if reduction is None or reduction[0] <= 0 <= reduction[1]:
        return "neutral"
    return "good" if reduction[0] > 0 else "bad"


def _accuracy_tone(accuracy: Accuracy, baselines: list[BaselineAccuracy]) -> Tone:
    """Good only if better than a coin toss and than every baseline."""
    if accuracy.interval_pct is None or accuracy.interval_pct[0] <= COIN_TOSS_PCT <= accuracy.interval_pct[1]:
        return "neutral"
    if accuracy.interval_pct[1] < COIN_TOSS_PCT:
        return "bad"
    leads = [baseline.model_lead_interval_pct for baseline in baselines]
    return "good" if all(lead is None or lead[0] > 0 for lead in leads) else "neutral"


def _every(stride: int) -> str:
    return "every window" if stride == 1 else f"a window every {stride} candles"
