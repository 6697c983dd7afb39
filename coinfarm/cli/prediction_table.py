"""Predictions as a table, or as CSV."""

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rich.table import Table

from coinfarm.outputs import OUTPUT_NAMES, OUTPUT_TITLES, output_columns
from coinfarm.reports.formatting import minute_text, plural_text
from coinfarm.serving.response import predicted_at

if TYPE_CHECKING:
    from coinfarm.prediction.predictions import Predictions

ROWS_SHOWN = 20
"""The number of predictions in a table."""
_IN_SAMPLE = {True: "yes", False: "no", None: "unknown"}


def prediction_table(response: Mapping[str, Any], windows: int, more: str = "", horizon_candles: int | None = None) -> Table:
    """The last rows of a response for the last of `windows` windows; `more` says how to get the others.

    `horizon_candles` is the one of several horizons to show.
    """
    model, shown = response["model"], response["results"][-ROWS_SHOWN:]
    candles = "the next candles" if horizon_candles is None else f"the next {horizon_candles} candles"
    table = Table(
        title=f"{model['name']} {model['version']} on {model['engine']}: {candles} after each window",
        caption=_caption(windows, shown, more),
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("window ends (UTC)", no_wrap=True)
    for name in OUTPUT_NAMES:
        table.add_column(f"{OUTPUT_TITLES[name]} %", justify="right")
    table.add_column("filled", justify="right")
    table.add_column("in sample")
    for result in shown:
        table.add_row(
            minute_text(result["closeTime"]),
            *_cells(predicted_at(result, horizon_candles)),
            str(result["filledCandles"]),
            _IN_SAMPLE[result["inSample"]],
        )
    return table


def csv_lines(parts: "Iterable[Predictions]", further_horizons: tuple[int, ...] = ()) -> Iterator[str]:
    """A header in snake_case, then the rows of each part as one text. Cells without a prediction are empty."""
    yield ",".join(["open_time", "close_time", "in_sample", "filled_candles", *output_columns(further_horizons)]) + "\n"
    for part in parts:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(_csv_rows(part))
        yield text.getvalue()


def _csv_rows(part: "Predictions") -> Iterator[list[Any]]:
    in_sample = [""] * len(part) if part.in_sample is None else [str(value).lower() for value in part.in_sample.tolist()]
    columns = (part.open_time.tolist(), part.close_time.tolist(), in_sample, part.filled_candles.tolist(), part.values_pct.tolist())
    for open_time, close_time, seen, filled, values in zip(*columns, strict=True):
        yield [open_time, close_time, seen, filled, *("" if math.isnan(value) else value for value in values)]


def _caption(count: int, shown: list[Any], more: str) -> str:
    without = sum(result["predictions"] is None for result in shown)
    parts = []
    if count > len(shown):
        rows = plural_text(count - len(shown), "earlier row")
        parts.append(f"{rows} {'is' if count - len(shown) == 1 else 'are'} not shown{f': {more}' if more else ''}.")
    if without:
        parts.append("–: no prediction, because more than half of the window's candles were missing.")
    return " ".join(parts)


def _cells(predicted: Mapping[str, float] | None) -> list[str]:
    return ["–" if predicted is None else f"{predicted[name]:+.3f}" for name in OUTPUT_NAMES]
