"""What a person is shown of training."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from coinfarm.training.comparison import Outcome


def comparison_table(outcomes: "Sequence[Outcome]") -> Table:
    """Candidates, the best first."""
    table = Table(title="candidates on the validation months", title_justify="left")
    table.add_column("candidate")
    for heading in ("layers", "parameters", "multiply-adds", "loss", "R² rise", "R² decline", "R² end", "direction", "frames/s trained"):
        table.add_column(heading, justify="right")
    for outcome in sorted(outcomes, key=lambda outcome: outcome.loss):
        table.add_row(
            outcome.candidate,
            str(outcome.layers),
            f"{outcome.parameters:,}",
            f"{outcome.multiply_adds / 1e6:.1f} M",
            f"{outcome.loss:.4f}",
            *("–" if value is None else f"{value:.3f}" for value in outcome.r2.values()),
            "–" if outcome.direction_right_pct is None else f"{outcome.direction_right_pct:.1f} %",
            f"{outcome.trained_frames / outcome.seconds:.0f}",
        )
    return table
