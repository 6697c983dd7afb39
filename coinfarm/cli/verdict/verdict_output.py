"""What `coinfarm verdict` writes and prints."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from coinfarm.pipeline.candle_selection import CandleSelection
    from coinfarm.pipeline.pipeline import PipelineResult


def print_verdict(selection: "CandleSelection", result: "PipelineResult", output: Path, *, as_json: bool) -> None:
    """The backtest of one interval."""
    from coinfarm.backtesting.reporting.backtest_document import backtest_document
    from coinfarm.backtesting.reporting.backtest_report import page
    from coinfarm.backtesting.reporting.predictions_summary import predictions_summary

    report = output / "verdict.html"
    page(result.backtest).write(report)
    if as_json:
        click.echo(json.dumps(backtest_document(result.backtest) | _of_selection(selection) | _of_result(selection, result, report)))
        return
    found = result.backtest.verdict
    for line in (found.headline, *found.reasons, predictions_summary(result.backtest)):
        click.echo(line)
    click.echo(f"Report: {report}\nPredictions: {result.predictions}")


def print_map(selections: "Sequence[CandleSelection]", results: "Sequence[PipelineResult]", output: Path, *, as_json: bool) -> None:
    """The map of several intervals; the page of each interval's backtest is written beside the map's."""
    from coinfarm.backtesting.reporting.backtest_report import page
    from coinfarm.backtesting.reporting.map_document import map_document
    from coinfarm.backtesting.reporting.map_figure import map_svg
    from coinfarm.backtesting.reporting.map_report import map_page
    from coinfarm.backtesting.reporting.map_text import map_headline, map_warnings, tries_text
    from coinfarm.cli.map_tables import map_tables
    from coinfarm.cli.tables import print_tables
    from coinfarm.pipeline.pipeline import map_intervals, selection_notes
    from coinfarm.reports.figure import svg_file_text
    from coinfarm.storage.local_file import write_file

    found = map_intervals(selections, [each.backtest for each in results])
    pages = {each.interval: f"verdict-{each.interval}.html" for each in found.intervals}
    for each in found.intervals:
        page(each.result).write(output / pages[each.interval])
    report, picture, notes = output / "verdict.html", output / "verdict.svg", selection_notes(selections[0])
    map_page(found, pages, notes).write(report)
    write_file(picture, svg_file_text(map_svg(found)))
    if as_json:
        document = map_document(found) | _of_selection(selections[0]) | {"report": str(report), "picture": str(picture)}
        of_interval = {each.interval: (each, result) for each, result in zip(selections, results, strict=True)}
        for each in document["intervals"]:
            each |= _of_result(*of_interval[each["interval"]], output / pages[each["interval"]])
        click.echo(json.dumps(document))
        return
    for line in (map_headline(found), *notes, *map_warnings(found), tries_text(found)):
        click.echo(line)
    print_tables(*map_tables(found))
    click.echo(f"Report: {report}\nPicture: {picture}")


def _of_selection(selection: "CandleSelection") -> dict[str, Any]:
    return {"synthetic": selection.synthetic, "planted_edge_bps": selection.planted_bps}


def _of_result(selection: "CandleSelection", result: "PipelineResult", report: Path) -> dict[str, Any]:
    return {
        "windows": result.windows.document(),
        "predictions_file": str(result.predictions),
        "candles": selection.candles_root,
        "report": str(report),
    }
