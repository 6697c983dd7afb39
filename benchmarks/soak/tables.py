"""What was seen, as tables for a person."""

from collections.abc import Iterable

from rich.table import Table

from benchmarks.soak.backfill import VISIBILITY_TIMEOUT_S, WORKERS, Outcome
from benchmarks.soak.mix import SHARES
from benchmarks.soak.promises import Promise
from benchmarks.soak.serving import MIN_TREND_S, Served


def server_tables(served: Served) -> Iterable[Table]:
    """Latencies by kind of request, then what else there is to tell."""
    latencies = _table(
        f"Requests over {served.seconds / 60:.1f} minutes, {served.engine}", "", "requests", "p50, ms", "p90", "p99", "p99.9", "most"
    )
    for kind in (*SHARES, None):
        count = sum(kind in (None, answer.kind) for answer in served.answers)
        if count:
            latencies.add_row(kind or "all", f"{count:,}", *(f"{value:,.1f}" for value in served.latencies_ms(kind).values()))
    yield latencies
    taken = ", ".join("never" if seconds is None else f"{seconds:.1f}" for seconds in served.taken_up_s)
    facts = _table("The server meanwhile", "", "")
    if served.plan.duration_s >= MIN_TREND_S:
        memory = served.trend(lambda vitals: vitals.rss_mb)
        facts.add_row("memory over the last two thirds", f"{memory.mean:.0f} MB, {memory.growth_per_hour:+.1f} MB an hour")
    facts.add_row("memory, at most", f"{max(each.rss_mb for each in served.vitals):.0f} MB")
    facts.add_row(
        "threads, open files", f"at most {max(each.threads for each in served.vitals)}, {max(each.files for each in served.vitals)}"
    )
    facts.add_row("the model moved", f"{len(served.moves) - 1} times, taken up after {taken} s")
    facts.add_row("the slowest answer around each move", f"{', '.join(f'{slowest:.0f}' for slowest in served.slowest_ms)} ms")
    yield facts


def backfill_table(outcome: Outcome) -> Table:
    """How the backfill went."""
    table = _table(f"{outcome.shards:,} shards, {outcome.counts.predicted:,} frames, {WORKERS} workers", "", "")
    table.add_row("kills", f"{outcome.kills}, each at random within {outcome.longest_life_s:.1f} s of its start")
    table.add_row("what was in hand is seen again after", f"{VISIBILITY_TIMEOUT_S} s")
    table.add_row("from the first worker's start to the last result", f"{outcome.seconds:,.1f} s")
    table.add_row("the same in peace, by coinfarm backfill run", f"{outcome.peace_s:,.1f} s")
    table.add_row("pace", f"{outcome.shards_per_s:,.1f} shards/s, {outcome.frames_per_s:,.0f} frames/s")
    table.add_row("done at a later delivery, written twice", f"{outcome.redelivered}, {outcome.rewritten}")
    table.add_row("good messages among the dead letters, moved back", f"{outcome.good_dead_letters}")
    return table


def promises_table(promises: Iterable[Promise]) -> Table:
    """What was promised, and whether it held."""
    table = Table(title="What was promised", title_justify="left")
    for name in ("", "promise", "found"):
        table.add_column(name)
    for promise in promises:
        table.add_row("[green]kept[/]" if promise.kept else "[bold red]broken[/]", promise.text, promise.found)
    return table


def _table(title: str, first: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", show_header=any((first, *columns)))
    table.add_column(first)
    for column in columns:
        table.add_column(column, justify="right")
    return table
