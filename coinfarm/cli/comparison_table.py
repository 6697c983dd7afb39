"""A comparison of candidates on a terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from coinfarm.reports.formatting import number_text

if TYPE_CHECKING:
    from coinfarm.training.comparison import CandidateResult


def comparison_table(results: "Sequence[CandidateResult]") -> Table:
    """The candidates by validation loss. Layers and training speed are in the JSON only."""
    table = Table(title="candidates on the validation period", title_justify="left")
    table.add_column("candidate")
    for heading in ("parameters", "M MACs", "loss", "R² rise", "R² decline", "R² end", "direction %"):
        table.add_column(heading, justify="right")
    for result in sorted(results, key=lambda result: result.loss):
        table.add_row(
            result.candidate,
            f"{result.parameters:,}",
            f"{result.multiply_adds / 1e6:.1f}",
            f"{result.loss:.4f}",
            *(number_text(value, 3) for value in result.r2.values()),
            number_text(result.direction_right_pct),
        )
    return table
