"""What a person is shown of training."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from coinfarm.training.comparison import CandidateResult


def comparison_table(outcomes: "Sequence[CandidateResult]") -> Table:
    """Candidates, the best first. Layers and training speed are in the JSON only."""
    table = Table(title="candidates on the validation months", title_justify="left")
    table.add_column("candidate")
    for heading in ("parameters", "M MACs", "loss", "R² rise", "R² decline", "R² end", "direction %"):
        table.add_column(heading, justify="right")
    for outcome in sorted(outcomes, key=lambda outcome: outcome.loss):
        table.add_row(
            outcome.candidate,
            f"{outcome.parameters:,}",
            f"{outcome.multiply_adds / 1e6:.1f}",
            f"{outcome.loss:.4f}",
            *("–" if value is None else f"{value:.3f}" for value in outcome.r2.values()),
            "–" if outcome.direction_right_pct is None else f"{outcome.direction_right_pct:.1f}",
        )
    return table
