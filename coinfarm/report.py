"""Predictions as a person reads them on a terminal, or a spreadsheet as CSV."""

import csv
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rich.table import Table

from coinfarm.outputs import COLUMN_NAMES, OUTPUT_NAMES, TITLES

ROWS_SHOWN = 20
"""Of predictions, in a table."""
_IN_SAMPLE = {True: "yes", False: "no", None: "unknown"}


def prediction_table(answer: Mapping[str, Any], windows: int) -> Table:
    """The last rows of an answer that holds the last of so many windows, or all."""
    model, shown = answer["model"], answer["results"][-ROWS_SHOWN:]
    table = Table(
        title=f"{model['name']} {model['version']} on {model['engine']}: the next candles after each window",
        caption=_caption(windows, shown),
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("window ends (UTC)")
    for name in OUTPUT_NAMES:
        table.add_column(f"{TITLES[name]} %", justify="right")
    table.add_column("filled", justify="right")
    table.add_column("in sample")
    for result in shown:
        table.add_row(
            _minute(result["closeTime"]),
            *_cells(result["predictions"]),
            str(result["filledCandles"]),
            _IN_SAMPLE[result["inSample"]],
        )
    return table


def prediction_csv(answer: Mapping[str, Any]) -> str:
    """All rows of an answer, with a header in snake_case; what is not predicted is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["open_time", "close_time", "in_sample", "filled_candles", *COLUMN_NAMES])
    for result in answer["results"]:
        predicted = result["predictions"] or {}
        writer.writerow(
            [
                result["openTime"],
                result["closeTime"],
                "" if result["inSample"] is None else str(result["inSample"]).lower(),
                result["filledCandles"],
                *(predicted.get(name) for name in OUTPUT_NAMES),
            ]
        )
    return text.getvalue()


def _caption(count: int, shown: list[Any]) -> str:
    without = sum(result["predictions"] is None for result in shown)
    parts = []
    if count > len(shown):
        parts.append(f"{count - len(shown):,} earlier rows are not shown: --csv and --json give all {count:,}.")
    if without:
        parts.append("–: more than half of the window's candles were missing, so nothing is predicted.")
    return " ".join(parts)


def _cells(predicted: Mapping[str, float] | None) -> list[str]:
    return ["–" if predicted is None else f"{predicted[name]:+.3f}" for name in OUTPUT_NAMES]


def _minute(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
