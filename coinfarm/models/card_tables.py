"""The tables of a model card's evaluations: the outputs by interval, and by coin within an interval."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from coinfarm.candles.interval import interval_ms
from coinfarm.errors import InvalidInput
from coinfarm.models.evaluation_document import EvaluationRecord
from coinfarm.models.evaluation_scores import BaselineOutput, ConfidenceInterval
from coinfarm.outputs import OUTPUT_TITLES
from coinfarm.reports.formatting import bounds_text, count_text, number_text

_TREES = "gradientBoosting"


def evaluations_by_period(evaluations: Iterable[EvaluationRecord]) -> dict[str, list[EvaluationRecord]]:
    """The evaluations by their period, the latest first, and of one period from the shortest interval to the longest."""
    by_interval = sorted(evaluations, key=lambda each: _length_ms(each.interval))
    latest_first = sorted(by_interval, key=lambda each: (each.to_date, each.from_date), reverse=True)
    periods = groupby(latest_first, key=lambda each: f"{each.from_date} up to {each.to_date}")
    return {period: list(of_period) for period, of_period in periods}


def output_rows(evaluation: EvaluationRecord) -> list[tuple[str, ...]]:
    """For each output: its title, frames, R², slope and intercept, and squared errors against those of the trees."""
    baselines = {name: baseline.outputs for name, baseline in evaluation.baselines.items()}
    rows: list[tuple[str, ...]] = []
    for name, title in OUTPUT_TITLES.items():
        output = evaluation.outputs[name]
        slope = _with_bounds(output.calibration.slope, output.calibration.slope_interval, 2)
        r2 = _with_bounds(output.r2, output.r2_interval, 3)
        intercept = number_text(output.calibration.intercept_pct, 3)
        rows.append((title, count_text(evaluation.frames), r2, slope, intercept, _against_trees(baselines, name)))
    return rows


def coin_rows(evaluation: EvaluationRecord) -> list[tuple[str, ...]]:
    """For each coin and output the same as `output_rows`, after the coin, and then R² of each of the `coin_baselines`."""
    rows: list[tuple[str, ...]] = []
    for symbol, scores in evaluation.by_coin.items():
        for name, title in OUTPUT_TITLES.items():
            output = scores.outputs[name]
            slope = _with_bounds(output.slope, output.slope_interval, 2)
            r2 = _with_bounds(output.r2, output.r2_interval, 3)
            of_baselines = (number_text(baseline[name].r2, 3) for baseline in scores.baselines.values())
            own = (count_text(scores.frames), r2, slope, number_text(output.intercept_pct, 3), _against_trees(scores.baselines, name))
            rows.append((symbol, title, *own, *of_baselines))
    return rows


def coin_baselines(evaluation: EvaluationRecord) -> Sequence[str]:
    """The names of the baselines, in the order of `coin_rows`."""
    return list(next(iter(evaluation.by_coin.values())).baselines)


def _against_trees(baselines: Mapping[str, Mapping[str, BaselineOutput]], output: str) -> str:
    scores = baselines.get(_TREES, {}).get(output)
    if scores is None or scores.model_error_reduction_pct is None:
        return "–"
    change, bounds = scores.error_change_pct
    return f"{number_text(change)} % {_bounds(bounds, 1)}".rstrip()


def _with_bounds(value: float | None, bounds: ConfidenceInterval | None, decimals: int) -> str:
    return f"{number_text(value, decimals)} {_bounds(bounds, decimals)}".rstrip()


def _bounds(bounds: ConfidenceInterval | None, decimals: int) -> str:
    """With the minus signs of Markdown sources."""
    return bounds_text(bounds, decimals).replace("−", "-")


def _length_ms(interval: str | None) -> int:
    """0 for one that is unknown: documents from elsewhere may name any."""
    try:
        return 0 if interval is None else interval_ms(interval)
    except InvalidInput:
        return 0
