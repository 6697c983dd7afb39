"""The tables of docs/calibration.md."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from math import isfinite, sqrt
from pathlib import Path
from typing import Any

from benchmarks.calibration.streams import DEPENDENCES
from benchmarks.markdown import table_lines, with_block
from coinfarm.storage.local_file import write_file

Record = Mapping[str, Any]
START, END = "<!-- tables: make calibrate -->", "<!-- end of tables -->"
MAPS_START, MAPS_END = "<!-- maps: make calibrate -->", "<!-- end of maps -->"
INTERVALS_START, INTERVALS_END = "<!-- score intervals: make calibrate -->", "<!-- end of score intervals -->"
_table = partial(table_lines, text_columns=2)


def write_page(
    path: Path, run: Record, cells: Iterable[Record], backtests: Sequence[Record], maps: Iterable[Record], intervals: Iterable[Record]
) -> None:
    """Replace the tables between the comments of the page; `intervals` are the cells of `benchmarks.score_intervals`."""
    page = with_block(path.read_text(encoding="utf-8"), START, END, _tables(run, list(cells), backtests))
    page = with_block(page, MAPS_START, MAPS_END, _map_tables(run, list(maps)))
    write_file(path, with_block(page, INTERVALS_START, INTERVALS_END, _interval_tables(run, list(intervals))))


def _map_tables(run: Record, cells: Sequence[Record]) -> Iterator[str]:
    """The maps without an edge of which an interval makes money, by dependence."""
    yield (
        f"Measured by `make calibrate` with {run['streams']:,} maps per cell, {run['samples']:,} bootstrap samples and seed {run['seed']}: "
        'the share of the maps of which at least one interval "makes money", %. In brackets: if each interval is judged alone.'
    )
    yield ""
    found = {(each["dependence"], _map_kind(each)): each for each in cells}
    kinds = sorted({kind for _, kind in found})
    names = [each.name for each in DEPENDENCES if any(each.name == dependence for dependence, _ in found)]
    yield from table_lines(
        ("dependence", *kinds), ((name, *(_map_shares(found.get((name, kind))) for kind in kinds)) for name in names), text_columns=1
    )


def _map_kind(each: Record) -> str:
    return f"{each['days']}, {'correlated' if each['correlated'] else 'independent'} intervals"


def _map_shares(each: Record | None) -> str:
    return "–" if each is None else f"{_percent(each['makes_money'])} ({_percent(each['alone'])})"


def _interval_tables(run: Record, cells: Sequence[Record]) -> Iterator[str]:
    """Coverage by persistence and days, for each output."""
    yield (
        f"Measured by `make calibrate` with {run['streams']:,} streams per cell and seed {run['seed']}: the share of the intervals that "
        "contain the true R², %. In brackets: width relative to the true interval; share of streams with an interval, %; number of "
        "independent days."
    )
    yield ""
    days = sorted({each["days"] for each in cells})
    found = {(each["output"], each["persistence"], each["days"]): _interval(each) for each in cells}
    rows = sorted({(output, persistence) for output, persistence, _ in found}, key=lambda row: (row[0] != "rise", row[1]))
    yield from _table(
        ("output", "persistence of volatility", *(f"{each} days" for each in days)),
        ((output, f"{persistence:g}", *(found.get((output, persistence, each), "–") for each in days)) for output, persistence in rows),
    )


def _interval(each: Record) -> str:
    share = f"{100 * each['with_interval']:.0f}; {each['blocks']:.0f}"
    return f"{_percent(each['coverage'])} ({each['width']:.2f}; {share})" if each["with_interval"] else f"– ({share})"


def _tables(run: Record, cells: list[Record], backtests: Sequence[Record]) -> Iterator[str]:
    error = 100 * sqrt(0.05 * 0.95 / run["streams"])
    yield (
        f"Measured by `make calibrate` with {run['streams']:,} streams per cell, {run['samples']:,} bootstrap samples and seed "
        f"{run['seed']}; the simulation's standard error of a share of 5 % is {error:.1f} percentage points."
    )
    null = [each for each in cells if not each["edge_bps"]]
    days = sorted({each["days"] for each in null})
    yield '\n### "Makes money" at a net edge of zero, % of streams\n'
    yield from _grid(null, days, lambda each: _percent(each["makes_money"]))
    yield '\n### "Does not make money" at a net edge of zero, % of streams\n'
    yield from _grid([each for each in null if each["variants"] == 1], days, lambda each: _percent(each["loses_money"]))
    yield "\n### Coverage of the 90 % interval, % of streams with ten or more effective blocks\n"
    yield "In brackets: width relative to the true interval; share of streams with an interval, %; effective number of independent days.\n"
    yield from _grid([each for each in null if each["variants"] == 1], days, _coverage)
    yield '\n### "Makes money" at a real edge, on 92 independent days\n'
    yield from _table(
        ("net edge, bps", "trades a day", "deviation of a trade, bps", "selection", "found, %"),
        (
            (
                f"{each['edge_bps']:g}",
                f"{each['trades_per_day']:g}",
                f"{each['deviation_bps']:g}",
                _selection(each),
                _percent(each["makes_money"]),
            )
            for each in sorted((each for each in cells if each["edge_bps"]), key=_power_order)
        ),
    )
    yield "\n### Complete backtests with the default strategy, thresholds chosen on 92 days and tested on 92\n"
    yield from _table(
        ("predictions", "backtests", "makes money", "does not make money", "cannot be told"),
        (
            (each["kind"], f"{each['count']:,}", *(f"{each[name]:,}" for name in ("makes_money", "loses_money", "unknown")))
            for each in backtests
        ),
    )


def _grid(cells: Sequence[Record], days: Sequence[int], text: Any) -> Iterator[str]:
    """One row per dependence and selection, one column per number of days."""
    found = {(each["dependence"], _selection(each), each["days"]): text(each) for each in cells}
    rows = dict.fromkeys((dependence, selection) for dependence, selection, _ in found)
    yield from _table(
        ("dependence", "strategy", *(f"{each} days" for each in days)),
        ((*row, *(found.get((*row, each), "–") for each in days)) for row in sorted(rows, key=_row_order)),
    )


_ORDER = ("one", "best of 40", "best of 400", "chosen of 40", "chosen of 400")


def _row_order(row: tuple[str, str]) -> tuple[int, int]:
    return _ORDER.index(row[1]), [each.name for each in DEPENDENCES].index(row[0])


def _selection(each: Record) -> str:
    if each["variants"] == 1:
        return "one"
    return f"{'best' if each['selection'] == 'fixed' else 'chosen'} of {each['variants']}"


def _coverage(each: Record) -> str:
    known = each["coverage"] is not None and isfinite(each["coverage"])
    share = f"{100 * each['conclusive']:.0f}; {each['blocks']:.0f}"
    return f"{_percent(each['coverage'])} ({each['width']:.2f}; {share})" if known else f"– ({share})"


def _power_order(each: Record) -> tuple[float, float, int]:
    return -each["edge_bps"], each["deviation_bps"], each["variants"]


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"
