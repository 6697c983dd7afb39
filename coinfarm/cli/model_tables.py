"""The tables of versions and their history on a terminal."""

from collections.abc import Sequence

from rich.table import Table

from coinfarm.models.listing import ListedVersion
from coinfarm.models.pointer import Pointer
from coinfarm.reports.formatting import coins_text


def versions_table(versions: Sequence[ListedVersion]) -> Table:
    """One row per version; a star marks the one in service."""
    table = Table(
        caption="* in service. Score: the mean R² of the outputs in the latest evaluation.",
        caption_justify="left",
    )
    table.add_column("")
    table.add_column("version", no_wrap=True)
    table.add_column("engines")
    table.add_column("score", justify="right")
    table.add_column("evaluated on")
    for listed in versions:
        table.add_row(
            "*" if listed.in_service else "",
            listed.version,
            ", ".join(listed.engines),
            *_evaluation(listed),
        )
    return table


def history_table(pointers: Sequence[Pointer]) -> Table:
    """One row per pointer, the current one first."""
    table = Table()
    table.add_column("since (UTC)", no_wrap=True)
    table.add_column("version", no_wrap=True)
    table.add_column("note")
    for pointer in pointers:
        table.add_row(f"{pointer.promoted_at:%Y-%m-%d %H:%M:%S}", pointer.version, _remarks(pointer))
    return table


def _evaluation(listed: ListedVersion) -> tuple[str, str]:
    if listed.error is not None:
        return "–", f"damaged: {listed.error}"
    evaluation = listed.evaluation
    if evaluation is None:
        return "–", "not evaluated"
    return (
        f"{evaluation.score:.4f}",
        f"{coins_text(sorted(evaluation.candles), evaluation.interval)}\n{evaluation.from_date} up to {evaluation.to_date}",
    )


def _remarks(pointer: Pointer) -> str:
    remarks = [pointer.note] if pointer.note else []
    if pointer.forced is not None:
        remarks.append(f"forced: {pointer.forced.reason}")
        remarks += [f"although {check}" for check in pointer.forced.failed_checks]
    return "\n".join(remarks)
