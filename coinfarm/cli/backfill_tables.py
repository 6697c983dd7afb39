"""The cost estimate, status and window outcomes of a run, as tables and JSON."""

from typing import TYPE_CHECKING, Any

from coinfarm.backfill.local_run import RunProgress
from coinfarm.backfill.run_manifest import RunManifest
from coinfarm.backfill.status import Status
from coinfarm.backfill.window_outcomes import WINDOW_COUNT_LABELS, WindowCounts, WindowOutcomes
from coinfarm.cli.tables import numeric_table
from coinfarm.reports.formatting import coins_text, dollar_text, duration_text, plural_text

if TYPE_CHECKING:
    from rich.table import Table

_TARGET_NAMES = {"here": "this machine", "lambda": "Lambda", "gpu": "GPU fleet, on demand", "gpu-spot": "GPU fleet, spot"}
_FAILURES_SHOWN = 10
_WIDTH = 78
"""The minimum width of a table, because its title and notes are wrapped at its width."""


def estimate_table(manifest: RunManifest) -> "Table":
    """Time and cost on each compute target; below the table, the basis of each speed."""
    estimate = manifest.estimate
    series = f"{coins_text(manifest.symbols, manifest.interval)} from {manifest.from_date} up to {manifest.to_date}"
    title = f"{estimate.windows:,} windows in {estimate.shards:,} shards, {series}, model {manifest.model_version}"
    if estimate.shards_without_candles:
        title += f"; {estimate.shards_without_candles:,} of the shards without candles"
    notes = [
        f"{_TARGET_NAMES[target.name].removesuffix(', on demand')}: {target.basis}"
        for target in estimate.targets
        if target.name != "gpu-spot"
    ]
    if any(target.is_assumed for target in estimate.targets):
        notes.append("* based on an assumed speed, not a measured one")
    notes.append(f"US dollars at list prices of us-east-1, {estimate.prices_date}, excluding instance start-up.")
    table = numeric_table(title, "", "workers", "windows/s each", "time", "dollars", caption="\n".join(notes), min_width=_WIDTH)
    for target in estimate.targets:
        speed = "?" if target.windows_per_s is None else f"{target.windows_per_s:,.0f}"
        mark = "*" if target.is_assumed else ""
        name, workers = _TARGET_NAMES[target.name], str(target.workers)
        table.add_row(name, workers, speed + mark, duration_text(target.seconds), dollar_text(target.usd) + mark)
    return table


def status_table(status: Status, manifest: RunManifest, run_uri: str) -> "Table":
    """The status of the run at `run_uri`, one row per known figure; below the table, what to do next.

    A run on this machine has no queue, so it has no rows about one.
    """
    rows = {
        "shards done": f"{status.done:,} of {status.shards:,}",
        "waiting": _count(status.waiting),
        "in flight": _count(status.in_flight),
        "dead-lettered": _count(status.dead_lettered),
        "never sent": _count(status.unsent),
        "failed, without a result": f"{status.failed:,}",
        "windows/s": _count(None if status.windows_per_s is None else round(status.windows_per_s)),
        "time left": "none" if status.is_complete else None if status.seconds_left is None else duration_text(status.seconds_left),
        "dollars so far": None if status.unsent is None else _cost_text(status),
    }
    coins = coins_text(manifest.symbols, manifest.interval)
    notes = [f"{failure.shard}: {failure.reason}" for failure in status.failures]
    if status.dead_lettered:
        notes.append(f"Move the messages of the dead-letter queue back with: coinfarm backfill redrive --run {run_uri}")
    if status.waiting is None and status.unsent is None and not status.is_complete:
        notes.append(f"This run was not sent to a queue. Process it on this machine: coinfarm backfill run --run {run_uri}")
    if status.is_idle and status.unsent is None:
        notes.append(f"This run was never submitted: coinfarm backfill submit --run {run_uri}")
    if status.is_idle and status.lost:
        notes.append(
            f"{plural_text(status.lost, 'shard')} neither done nor in a queue; send again with: coinfarm backfill resume --run {run_uri}"
        )
    title = f"{coins}: {100 * status.windows_done / max(1, status.windows):.1f} % done"
    table = numeric_table(title, "", "", caption="\n".join(notes) or None, min_width=_WIDTH)
    for name, value in rows.items():
        if value is not None:
            table.add_row(name, value)
    return table


def _cost_text(status: Status) -> str:
    return f"{dollar_text(status.usd)} of {dollar_text(status.usd_estimated)}, the estimate for {_TARGET_NAMES[status.target]}"


def status_document(status: Status) -> dict[str, Any]:
    """The status as JSON, including nulls."""
    document: dict[str, Any] = status.model_dump(mode="json", by_alias=True)
    return {**document, "lost": status.lost, "complete": status.is_complete}


def run_summary_lines(progress: RunProgress, seconds: float) -> list[str]:
    """The result of a local run, for the terminal."""
    lines = [
        f"{progress.done:,} of {progress.shards:,} shards done; {progress.frames:,} windows predicted in {duration_text(seconds)}, "
        f"{progress.frames / seconds:,.0f}/s"
    ]
    lines += [f"failed: {shard}: {reason}" for shard, reason in list(progress.failed.items())[:_FAILURES_SHOWN]]
    if len(progress.failed) > _FAILURES_SHOWN:
        lines.append(f"… and {len(progress.failed) - _FAILURES_SHOWN} more")
    return lines


def run_summary_document(progress: RunProgress, seconds: float) -> dict[str, Any]:
    """The result of a local run as JSON; `framesPerS` includes the start of the processes."""
    return {
        "shards": progress.shards,
        "done": progress.done,
        "failed": [{"shard": str(shard), "reason": reason} for shard, reason in progress.failed.items()],
        "stopped": progress.stopped,
        "frames": progress.frames,
        "seconds": seconds,
        "framesPerS": progress.frames / seconds,
    }


def outcomes_table(outcomes: WindowOutcomes, interval: str) -> "Table":
    """The number of windows by symbol and outcome."""
    shards = [str(shard) for shard in outcomes.missing[:_FAILURES_SHOWN]]
    more = f" and {len(outcomes.missing) - len(shards)} more" if len(outcomes.missing) > len(shards) else ""
    caption = f"Shards without a complete result: {', '.join(shards)}{more}" if shards else ""
    table = numeric_table(
        f"Outcome of every requested window of {interval} candles",
        "",
        *WINDOW_COUNT_LABELS.values(),
        caption=caption or None,
        min_width=_WIDTH,
    )
    for symbol, counts in outcomes.by_symbol().items():
        table.add_row(symbol, *_cells(counts))
    table.add_section()
    table.add_row("all", *_cells(outcomes.total))
    return table


def _cells(counts: WindowCounts) -> list[str]:
    document = counts.document()
    return [f"{document[name]:,}" for name in WINDOW_COUNT_LABELS]


def _count(count: int | None) -> str | None:
    return None if count is None else f"{count:,}"
