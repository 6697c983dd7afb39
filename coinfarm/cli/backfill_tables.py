"""A run's quote, status and coverage, as tables and JSON."""

from typing import TYPE_CHECKING, Any

from coinfarm.backfill.coverage import Counts, Coverage
from coinfarm.backfill.local_run import RunProgress
from coinfarm.backfill.run_manifest import RunManifest
from coinfarm.backfill.status import Status
from coinfarm.reports.formatting import dollar_text, duration_text

if TYPE_CHECKING:
    from rich.table import Table

_WAYS = {"here": "this machine", "lambda": "Lambda", "gpu": "GPU fleet, on demand", "gpu-spot": "GPU fleet, spot"}
_FAILURES_SHOWN = 10
_WIDTH = 78
"""Of a table at least, since its title and its notes are broken at its width."""


def quote_table(manifest: RunManifest) -> "Table":
    """The ways to do it; below, where each speed is from."""
    quote = manifest.quote
    series = f"{', '.join(manifest.symbols)} {manifest.interval} from {manifest.from_date} to {manifest.to_date}"
    title = f"{quote.frames:,} frames in {quote.messages:,} shards, {series}, model {manifest.model_version}"
    if quote.messages_without_candles:
        title += f"; {quote.messages_without_candles:,} of the shards without candles"
    notes = [f"{_WAYS[way.name].removesuffix(', on demand')}: {way.basis}" for way in quote.ways if way.name != "gpu-spot"]
    notes.append(f"Dollars by the list prices of us-east-1, {quote.prices_date}; machines that start up are not counted.")
    table = _table(title, "", "workers", "frames/s each", "time", "dollars", caption="\n".join(notes))
    for way in quote.ways:
        speed = "?" if way.frames_per_s is None else f"{way.frames_per_s:,.0f}"
        assumed = "*" if "ASSUMED" in way.basis else ""
        table.add_row(_WAYS[way.name], str(way.workers), speed + assumed, duration_text(way.seconds), dollar_text(way.usd) + assumed)
    return table


def status_table(status: Status, run_uri: str) -> "Table":
    """How the run at `run_uri` stands, a line for each figure that is known; below, what to do about it.

    A run on this machine has no queue, so there are no lines about one.
    """
    rows = {
        "shards done": f"{status.done:,} of {status.shards:,}",
        "waiting": _count(status.waiting),
        "in flight": _count(status.in_flight),
        "dead-lettered": _count(status.dead_lettered),
        "never sent": _count(status.unsent),
        "failed, without a result": f"{status.failed:,}",
        "frames/s": _count(None if status.frames_per_s is None else round(status.frames_per_s)),
        "time left": "none" if status.is_complete else None if status.seconds_left is None else duration_text(status.seconds_left),
        "dollars so far": f"{dollar_text(status.usd)} of {dollar_text(status.usd_quoted)}, as quoted for {_WAYS[status.way]}"
        if status.unsent is not None
        else None,
    }
    notes = [f"{failure.shard}: {failure.reason}" for failure in status.failures]
    if status.dead_lettered:
        notes.append(f"Move the messages of the dead-letter queue back with: coinfarm backfill redrive --run {run_uri}")
    if status.waiting is None and status.unsent is None and not status.is_complete:
        notes.append(f"It was not sent to a queue. Process it on this machine: coinfarm backfill run --run {run_uri}")
    if status.is_idle and status.unsent is None:
        notes.append(f"It was never submitted: coinfarm backfill submit --run {run_uri}")
    if status.is_idle and status.lost:
        notes.append(
            f"{status.lost:,} shards are neither done nor in a queue; send them again with: coinfarm backfill resume --run {run_uri}"
        )
    table = _table(f"{100 * status.frames_done / max(1, status.frames):.1f} % done", "", "", caption="\n".join(notes))
    for name, value in rows.items():
        if value is not None:
            table.add_row(name, value)
    return table


def status_document(status: Status) -> dict[str, Any]:
    """As JSON has it, nulls included."""
    document: dict[str, Any] = status.model_dump(mode="json", by_alias=True)
    return {**document, "lost": status.lost, "complete": status.is_complete}


def run_summary_lines(tally: RunProgress, seconds: float) -> list[str]:
    """How a run on this machine went."""
    lines = [
        f"{tally.done:,} of {tally.shards:,} shards done; {tally.frames:,} frames in {duration_text(seconds)}, "
        f"{tally.frames / seconds:,.0f}/s"
    ]
    lines += [f"failed: {shard}: {reason}" for shard, reason in list(tally.failed.items())[:_FAILURES_SHOWN]]
    if len(tally.failed) > _FAILURES_SHOWN:
        lines.append(f"… and {len(tally.failed) - _FAILURES_SHOWN} more")
    return lines


def run_summary_document(tally: RunProgress, seconds: float) -> dict[str, Any]:
    """As JSON has it; `framesPerS` counts the start of the processes too."""
    return {
        "shards": tally.shards,
        "done": tally.done,
        "failed": [{"shard": str(shard), "reason": reason} for shard, reason in tally.failed.items()],
        "stopped": tally.stopped,
        "frames": tally.frames,
        "seconds": seconds,
        "framesPerS": tally.frames / seconds,
    }


def coverage_table(coverage: Coverage) -> "Table":
    """Windows by symbol, and what became of them."""
    names = ("asked for", "predicted", "mostly filled", "too few before", "no candles", "missing")
    shards = [str(shard) for shard in coverage.missing[:_FAILURES_SHOWN]]
    more = f" and {len(coverage.missing) - len(shards)} more" if len(coverage.missing) > len(shards) else ""
    caption = f"Shards without a whole result: {', '.join(shards)}{more}" if shards else ""
    table = _table("What became of every window asked for", "", *names, caption=caption)
    for symbol, counts in coverage.by_symbol().items():
        table.add_row(symbol, *_cells(counts))
    table.add_section()
    table.add_row("all", *_cells(coverage.total))
    return table


def _cells(counts: Counts) -> list[str]:
    return [f"{count:,}" for count in counts.document().values()]


def _table(title: str, first: str, *columns: str, caption: str) -> "Table":
    from rich.table import Table

    table = Table(
        title=title, title_justify="left", caption=caption or None, caption_justify="left", min_width=_WIDTH, show_header=any(columns)
    )
    table.add_column(first)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _count(count: int | None) -> str | None:
    return None if count is None else f"{count:,}"
