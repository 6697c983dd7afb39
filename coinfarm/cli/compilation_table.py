"""The result of a compilation as a table."""

from rich.table import Table

from coinfarm.compilation.attempts import Attempt
from coinfarm.compilation.compile import Compilation
from coinfarm.outputs import OUTPUT_NAMES, OUTPUT_TITLES


def forms_table(compilation: Compilation) -> Table:
    """Every compiled form, fastest first: its difference from Keras, its speed, and whether it was kept."""
    conditions = compilation.conditions
    table = Table(
        title=f"Compiled forms of {compilation.bundle.manifest.version} compared with Keras on {conditions.parity_frames:,} frames",
        caption=f"Correlation and rms difference (% of the output's standard deviation). Candles: {', '.join(conditions.candles)}. "
        f"CPU: {conditions.processor}; Keras does {conditions.keras_frames_per_s:,.0f} frames/s on it.",
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("compiled form")
    for name in OUTPUT_NAMES:
        table.add_column(OUTPUT_TITLES[name], justify="right")
    table.add_column("frames/s", justify="right")
    table.add_column("× Keras", justify="right")
    table.add_column("kept", min_width=12)
    for attempt in compilation.attempts:
        table.add_row(
            attempt.form.name, *_parity_cells(attempt), *_speed_cells(attempt, conditions.keras_frames_per_s), _kept_text(attempt)
        )
    return table


def _parity_cells(attempt: Attempt) -> list[str]:
    """The parity of each output, at the horizon where it is worst."""
    if attempt.parity is None:
        return ["–"] * len(OUTPUT_NAMES)
    of_horizons = [[of for each, of in attempt.parity.items() if each.startswith(name)] for name in OUTPUT_NAMES]
    return [f"{min(of.correlation for of in each):.5f}\n{100 * max(of.rms_difference_share for of in each):.2f} %" for each in of_horizons]


def _speed_cells(attempt: Attempt, keras_frames_per_s: float) -> list[str]:
    if attempt.frames_per_s is None:
        return ["–", "–"]
    return [f"{attempt.frames_per_s:,.0f}", f"{attempt.frames_per_s / keras_frames_per_s:.1f}"]


def _kept_text(attempt: Attempt) -> str:
    return "yes" if attempt.rejection is None else f"no: {attempt.rejection}"
