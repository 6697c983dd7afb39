"""What is foretold of the horizon, in the order in which the numbers stand everywhere."""

from typing import Literal, get_args

OutputName = Literal["maxRisePct", "maxDeclinePct", "endChangePct"]
OUTPUT_NAMES: tuple[str, ...] = get_args(OutputName)
"""As JSON spells them."""
OUTPUT_COLUMNS = ("max_rise_pct", "max_decline_pct", "end_change_pct")
"""As CSV and Parquet spell them."""
OUTPUT_TITLES: dict[str, str] = dict(zip(OUTPUT_NAMES, ("max rise", "max decline", "end change"), strict=True))
"""As a person reads them."""
