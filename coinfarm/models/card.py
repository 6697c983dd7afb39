"""The model card: one version of a model as a page of Markdown, from its manifest and its evaluations."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from coinfarm.models.calibration import output_calibrations
from coinfarm.models.card_tables import coin_baselines, coin_rows, evaluations_by_period, output_rows
from coinfarm.models.compiled_form import MAX_RMS_DIFFERENCE_SHARE, MIN_CORRELATION
from coinfarm.models.evaluation_document import EvaluationRecord
from coinfarm.models.evaluation_scores import Accuracy, OutputMetrics, OutputScores
from coinfarm.models.manifest import Manifest
from coinfarm.models.split_scores import SplitOutputScores, SplitScores, split_scores
from coinfarm.models.training_data import TrainingData
from coinfarm.outputs import OUTPUT_TITLES, output_title
from coinfarm.reports.formatting import count_text, minute_text
from coinfarm.reports.jinja_template import render

CARD_FILE = "card.md"

_MEANINGS = {
    "maxRisePct": "how far the price will rise: 100 × (highest high / last close − 1)",
    "maxDeclinePct": "how far it will fall: 100 × (lowest low / last close − 1), negative",
    "endChangePct": "where it will end: 100 × (last close of the horizon / last close − 1)",
}
_UNITS = {"percent": "percent", "window_range": "units of the window's price range, which the predictor converts to percent"}


class ScoreRow(NamedTuple):
    """A row of a table of scores: the model's or a baseline's."""

    title: str
    outputs: Mapping[str, OutputScores]
    accuracy: Accuracy


def model_card(manifest: Manifest, evaluations: Sequence[EvaluationRecord]) -> str:
    """The card of a version; unknown values are omitted or marked as unknown."""
    return render(
        "coinfarm.models",
        "card.md.j2",
        {
            "accuracy": _accuracy,
            "ahead": partial(_ahead, manifest),
            "cell": _cell,
            "enumerated": _enumerated,
            "ordinal": _ordinal,
            "r2": _r2,
            "thousands": count_text,
            "words": _words,
        },
        manifest=manifest,
        training=manifest.training,
        cutoffs=None if manifest.training is None else _cutoffs(manifest.training),
        evaluations=evaluations,
        evaluations_by_period=evaluations_by_period(evaluations),
        output_rows=output_rows,
        coin_rows=coin_rows,
        coin_baselines=coin_baselines,
        calibrations=output_calibrations(manifest.metrics or {}),
        split_scores=split_scores(manifest.metrics or {}),
        outputs_by_unit=_outputs_by_unit(manifest),
        evaluation_rows=_evaluation_rows,
        split_rows=_split_rows,
        daily_rank_correlations=_daily_rank_correlations,
        digests=_digests(evaluations),
        meanings={name: _MEANINGS[name.partition("H")[0]] for name in manifest.output_names},
        horizons=[str(horizon) for horizon in manifest.horizons],
        units=_UNITS,
        titles=OUTPUT_TITLES,
        all_titles={name: output_title(name) for name in manifest.output_names},
        min_correlation=MIN_CORRELATION,
        max_rms_difference_share=MAX_RMS_DIFFERENCE_SHARE,
    )


def _ahead(manifest: Manifest, evaluation: EvaluationRecord) -> str:
    """`, 100 candles ahead`, to follow the interval, if the model has several horizons."""
    return f", {evaluation.horizon_candles} candles ahead" if len(manifest.horizons) > 1 else ""


def _outputs_by_unit(manifest: Manifest) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for output in manifest.outputs:
        names.setdefault(output.unit, []).append(f"`{output.name}`")
    return names


def _cutoffs(training: TrainingData) -> str:
    times: dict[str, list[str]] = {}
    for symbol, cutoff_ms in training.cutoff_ms.items():
        times.setdefault(f"{minute_text(cutoff_ms)} UTC", []).append(symbol)
    if len(times) == 1:
        return next(iter(times))
    return ", ".join(f"{time} ({_enumerated(symbols)})" for time, symbols in times.items())


def _evaluation_rows(evaluation: EvaluationRecord) -> list[ScoreRow]:
    baselines = [
        ScoreRow(_words(name), baseline.outputs, Accuracy(right_pct=baseline.direction.right_pct))
        for name, baseline in evaluation.baselines.items()
    ]
    return [ScoreRow("**this model**", evaluation.outputs, evaluation.direction.overall), *baselines]


def _split_rows(split: SplitScores) -> list[ScoreRow]:
    by_title = {"**this model**": split.model, **{_words(name): outputs for name, outputs in split.baselines.items()}}
    return [ScoreRow(title, outputs, _split_accuracy(outputs)) for title, outputs in by_title.items()]


def _split_accuracy(outputs: Mapping[str, SplitOutputScores]) -> Accuracy:
    return Accuracy(right_pct=outputs["endChangePct"].direction_right_pct) if "endChangePct" in outputs else Accuracy()


def _daily_rank_correlations(evaluation: EvaluationRecord) -> list[str]:
    daily = {title: evaluation.outputs[name].daily_rank_correlation for name, title in OUTPUT_TITLES.items()}
    return [
        f"{title} {found.mean:.3f} (t = {found.t_statistic:.1f} over {found.days} days)"
        for title, found in daily.items()
        if found.mean is not None and found.t_statistic is not None
    ]


def _digests(evaluations: Sequence[EvaluationRecord]) -> list[tuple[str, ...]]:
    """Symbol, interval, first day, end and sha256 of all candles that were evaluated on, each once."""
    digests = {
        (symbol, evaluation.interval or "–", str(evaluation.from_date), str(evaluation.to_date), digest)
        for evaluation in evaluations
        for symbol, digest in evaluation.candles.items()
    }
    return sorted(digests)


def _r2(scores: OutputScores | None) -> str:
    if scores is None or scores.r2 is None:
        return "–"
    interval = scores.r2_interval if isinstance(scores, OutputMetrics) else None
    return f"{scores.r2:.3f}" + ("" if interval is None else f" [{interval[0]:.3f}, {interval[1]:.3f}]")


def _accuracy(accuracy: Accuracy) -> str:
    if accuracy.right_pct is None:
        return "–"
    interval = accuracy.interval_pct
    return f"{accuracy.right_pct:.1f} %" + ("" if interval is None else f" [{interval[0]:.1f}, {interval[1]:.1f}]")


def _enumerated(names: Sequence[str]) -> str:
    """`A`, `A and B`, or `A, B and C`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _ordinal(stride: int) -> str:
    """`10th `, to follow "every"; empty for 1."""
    if stride == 1:
        return ""
    suffix = "th" if stride % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(stride % 10, "th")
    return f"{stride}{suffix} "


def _words(name: str) -> str:
    """`constantTimesRange` as `constant times range`, and the abbreviation of a model in capitals."""
    return name.upper() if name == "har" else "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)


def _cell(text: str) -> str:
    """Text on one line, without bars that would end a table's cell."""
    return " ".join(text.split()).replace("|", "\\|")
