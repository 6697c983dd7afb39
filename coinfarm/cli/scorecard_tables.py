"""The tables of a scorecard on a terminal: live figures beside those of the evaluation."""

from collections.abc import Iterator

from rich.table import Table

from coinfarm.cli.tables import numeric_table
from coinfarm.evaluation.baseline_names import BASELINE_TITLES
from coinfarm.outputs import OUTPUT_TITLES
from coinfarm.reports.formatting import bounds_text, number_text, percent_text, score_text
from coinfarm.scorecard.scorecard_document import Comparison, LiveScore, PaperProfit, ScoredOutput, Scores
from coinfarm.scorecard.scorecard_text import paper_reasons

_DIRECTION = "direction\ncorrect, %"


def scorecard_tables(score: LiveScore) -> list[Table]:
    """The scores of the outputs, of the baselines, and of each symbol; none before the first outcome."""
    if score.together is None:
        return []
    symbols = [_symbols_table(score)] if len(score.by_symbol) > 1 else []
    paper = [] if score.paper is None else [_paper_table(score.paper)]
    return [_outputs_table(score.together), _baselines_table(score.together), *symbols, *paper]


def _outputs_table(comparison: Comparison) -> Table:
    table = numeric_table(
        "The model, all coins together (90 % intervals)",
        "",
        "live",
        "evaluated",
        caption="Slope: of what happened over what was predicted; 1 is well calibrated.\n"
        "Within the band: how often the outcome is within the 80 % band,\nwhich was made from the errors of the evaluation.",
    )
    sides = [side for side in (comparison.live, comparison.evaluated) if side is not None]
    for name, title in OUTPUT_TITLES.items():
        for row in zip(*(_figures(side.outputs[name]) for side in sides), strict=True):
            table.add_row(f"{title}: {row[0][0]}", *(cell for _, cell in row))
        table.add_section()
    table.add_row("direction correct", *(percent_text(side.direction.right_pct, side.direction.interval_pct) for side in sides))
    table.add_row("predictions", *(f"{side.frames:,}" for side in sides))
    return table


def _figures(output: ScoredOutput) -> Iterator[tuple[str, str]]:
    """The scores of an output with their names."""
    yield "R²", f"{score_text(output.r2)} {bounds_text(output.r2_interval)}".rstrip()
    yield "rank correlation", score_text(output.rank_correlation)
    yield "slope", f"{score_text(output.slope, 2)} {bounds_text(output.slope_interval, 2)}".rstrip()
    yield "within the band", percent_text(output.coverage_pct, output.coverage_interval_pct)
    yield "mean absolute error, %", score_text(output.mean_absolute_error_pct)


def _baselines_table(comparison: Comparison) -> Table:
    table = numeric_table(
        "R² of the baselines, live (evaluated)",
        "",
        *OUTPUT_TITLES.values(),
        _DIRECTION,
        caption="Baselines that need fitting are those of the evaluation.\nGradient boosting is not stored with it.",
    )
    live, evaluated = comparison.live, comparison.evaluated
    table.add_row("this model", *_r2_cells(live, evaluated), _beside(*_direction(live, evaluated, None), decimals=1), style="bold")
    for name, title in BASELINE_TITLES.items():
        if name in live.baselines or (evaluated is not None and name in evaluated.baselines):
            table.add_row(title, *_r2_cells(live, evaluated, name), _beside(*_direction(live, evaluated, name), decimals=1))
    return table


def _symbols_table(score: LiveScore) -> Table:
    table = numeric_table("R² by symbol, live (evaluated)", "symbol", "predictions", *OUTPUT_TITLES.values(), _DIRECTION)
    for symbol, each in score.by_symbol.items():
        direction = _beside(*_direction(each.live, each.evaluated, None), decimals=1)
        table.add_row(symbol, f"{each.live.frames:,}", *_r2_cells(each.live, each.evaluated), direction)
    return table


def _paper_table(paper: PaperProfit) -> Table:
    table = numeric_table(
        f"Paper profit of the strategy {paper.strategy}: {paper.conclusion}",
        "",
        "trades",
        "average trade\nbefore costs, bps",
        "after costs, bps",
        "return",
        caption="\n".join(paper_reasons(paper)),
    )
    for title, figures in (("live", paper.live), ("evaluated", paper.evaluated)):
        if figures is not None:
            after = f"{score_text(figures.average_trade_after_cost_bps, 1)} {bounds_text(figures.after_cost_interval_bps, 1)}".rstrip()
            before = score_text(figures.average_trade_before_cost_bps, 1)
            table.add_row(title, f"{figures.trades:,}", before, after, percent_text(figures.return_pct), style="bold")
    for each in paper.baselines:
        after = score_text(each.average_trade_after_cost_bps, 1)
        table.add_row(each.name, number_text(each.trades, 0), "–", after, percent_text(each.return_pct))
    return table


def _r2_cells(live: Scores, evaluated: Scores | None, baseline: str | None = None) -> Iterator[str]:
    for name in OUTPUT_TITLES:
        yield _beside(_r2(live, baseline, name), _r2(evaluated, baseline, name), decimals=2)


def _r2(scores: Scores | None, baseline: str | None, output: str) -> float | None:
    if scores is None or (baseline is not None and baseline not in scores.baselines):
        return None
    outputs = scores.outputs if baseline is None else scores.baselines[baseline].outputs
    return outputs[output].r2


def _direction(live: Scores, evaluated: Scores | None, baseline: str | None) -> Iterator[float | None]:
    for scores in (live, evaluated):
        if baseline is None:
            yield None if scores is None else scores.direction.right_pct
        else:
            found = None if scores is None or baseline not in scores.baselines else scores.baselines[baseline].direction
            yield None if found is None else found.right_pct


def _beside(live: float | None, evaluated: float | None, *, decimals: int) -> str:
    text = score_text(live, decimals)
    return text if evaluated is None else f"{text} ({score_text(evaluated, decimals)})"
