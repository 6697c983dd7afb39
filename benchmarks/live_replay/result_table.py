"""The result of a replay as the table in docs/live.md."""

from typing import Any


def result_rows(result: dict[str, Any]) -> list[str]:
    """The rows of the table in Markdown, without the heading."""
    compared = result["candles"].values()
    latency, memory = result["latencyMs"], result["memoryMb"]
    wrong = sum(each[name] for each in compared for name in ("duplicates", "missing", "different_candles"))
    rows = {
        "closed candles of the day, each predicted": f"{len(compared) * result['minutes']:,}",
        "missing, predicted twice, or with other numbers than at the exchange": f"{wrong:,}",
        "predictions that differ from a backfill in a bit": f"{sum(each['different_predictions'] for each in compared):,}",
        "connections cut": f"{result['disconnects']:,}",
        "from the close to the printed line, half of them": f"{latency['p50']} ms",
        "99 %": f"{latency['p99']} ms",
        "the longest, during the restart": f"{latency['max'] / 1000:.1f} s",
        "memory after the restart": f"{memory['mean']:.0f} MB",
        "its growth until the end": f"{memory['growth']:.1f} MB",
    }
    return [f"| {what} | {figure} |" for what, figure in rows.items()]
