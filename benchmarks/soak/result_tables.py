"""The results of the soak tests as tables."""

from collections.abc import Iterable

from rich.table import Table

from benchmarks.soak.backfill_result import VISIBILITY_TIMEOUT_S, WORKERS, BackfillResult
from benchmarks.soak.checks import Check
from benchmarks.soak.request_mix import SHARES
from benchmarks.soak.server_result import MIN_TREND_S, ServerResult
from coinfarm.cli.tables import numeric_table


def server_tables(result: ServerResult) -> Iterable[Table]:
    """Latencies by kind of request, and the metrics of the server."""
    latencies = numeric_table(
        f"Requests over {result.seconds / 60:.1f} minutes, {result.engine}", "", "requests", "p50, ms", "p90", "p99", "p99.9", "max"
    )
    for kind in (*SHARES, None):
        count = sum(kind in (None, response.kind) for response in result.responses)
        if count:
            latencies.add_row(kind or "all", f"{count:,}", *(f"{value:,.1f}" for value in result.latencies_ms(kind).values()))
    yield latencies
    delays = ", ".join("never" if seconds is None else f"{seconds:.1f}" for seconds in result.switch_delays_s)
    max_latencies = ", ".join(f"{latency_ms:.0f}" for latency_ms in result.max_latency_after_switch_ms)
    metrics = numeric_table("Server", "", "")
    if result.options.duration_s >= MIN_TREND_S:
        memory = result.trend(lambda each: each.rss_mb)
        metrics.add_row("memory over the last two thirds", f"{memory.mean:.0f} MB, {memory.growth_per_hour:+.1f} MB per hour")
    metrics.add_row("maximum memory", f"{max(each.rss_mb for each in result.metrics):.0f} MB")
    metrics.add_row(
        "maximum threads, open files", f"{max(each.threads for each in result.metrics)}, {max(each.open_files for each in result.metrics)}"
    )
    metrics.add_row("model switches", f"{len(result.switches) - 1}, in service after {delays} s")
    metrics.add_row("maximum latency after each switch", f"{max_latencies} ms")
    yield metrics


def backfill_table(result: BackfillResult) -> Table:
    table = numeric_table(f"{result.shards:,} shards, {result.counts.predicted:,} frames, {WORKERS} workers", "", "")
    table.add_row("kills", f"{result.kills}, each at random within {result.max_lifetime_s:.1f} s after the start")
    table.add_row("visibility timeout", f"{VISIBILITY_TIMEOUT_S} s")
    table.add_row("from the first worker's start to the last result", f"{result.seconds:,.1f} s")
    table.add_row("undisturbed, with coinfarm backfill run", f"{result.undisturbed_s:,.1f} s")
    table.add_row("speed", f"{result.shards_per_s:,.1f} shards/s, {result.windows_per_s:,.0f} windows/s")
    table.add_row("processed at a later delivery, written twice", f"{result.redelivered}, {result.rewritten}")
    table.add_row("valid dead letters, moved back", f"{result.valid_dead_letters}")
    return table


def checks_table(checks: Iterable[Check]) -> Table:
    table = Table(title="Checks", title_justify="left")
    for name in ("", "check", "measured"):
        table.add_column(name)
    for check in checks:
        table.add_row("[green]passed[/]" if check.passed else "[bold red]failed[/]", check.name, check.measured)
    return table
