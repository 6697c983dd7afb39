"""The model's outputs: their names, in the order of every array and file."""

from typing import Literal, get_args

OutputName = Literal["maxRisePct", "maxDeclinePct", "endChangePct"]
OUTPUT_NAMES: tuple[str, ...] = get_args(OutputName)
"""Names in JSON."""
OUTPUT_COLUMNS = ("max_rise_pct", "max_decline_pct", "end_change_pct")
"""Names in CSV and Parquet."""
OUTPUT_TITLES: dict[str, str] = dict(zip(OUTPUT_NAMES, ("max rise", "max decline", "end change"), strict=True))
"""Display names."""
