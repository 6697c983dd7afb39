"""The model's outputs: their names, in the order of every array and file.

A model predicts three numbers for each of its horizons. Those of its first horizon have the plain names; the names of the others end in
their number of candles: `maxRisePctH100` in JSON, `max_rise_pct_h100` in files.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

OUTPUT_NAMES = ("maxRisePct", "maxDeclinePct", "endChangePct")
"""Names in JSON."""
OUTPUT_COLUMNS = ("max_rise_pct", "max_decline_pct", "end_change_pct")
"""Names in CSV and Parquet."""
OUTPUT_TITLES: dict[str, str] = dict(zip(OUTPUT_NAMES, ("max rise", "max decline", "end change"), strict=True))
"""Display names."""

MAX_HORIZON_CANDLES = 999_999
OUTPUT_NAME_PATTERN = rf"^({'|'.join(OUTPUT_NAMES)})(H[1-9][0-9]{{0,5}})?$"
_FIRST_OF_HORIZON = re.compile(r"(?:maxRisePctH|max_rise_pct_h)([1-9][0-9]{0,5})")


@lru_cache
def output_names(further_horizons: tuple[int, ...] = ()) -> tuple[str, ...]:
    """The names in JSON of all outputs of a model with these horizons after its first."""
    return OUTPUT_NAMES + tuple(output_name(name, horizon) for horizon in further_horizons for name in OUTPUT_NAMES)


def output_columns(further_horizons: Sequence[int] = ()) -> tuple[str, ...]:
    """The same in CSV and Parquet."""
    return OUTPUT_COLUMNS + tuple(f"{column}_h{horizon}" for horizon in further_horizons for column in OUTPUT_COLUMNS)


@lru_cache
def further_horizons_of(names: tuple[str, ...]) -> tuple[int, ...]:
    """The horizons after the first, in candles, from names of outputs or of columns, in their order."""
    return tuple(int(found[1]) for name in names if (found := _FIRST_OF_HORIZON.fullmatch(name)))


def output_name(name: str, further_horizon: int | None) -> str:
    """The name of one of `OUTPUT_NAMES` at a further horizon, or at the first one."""
    return name if further_horizon is None else f"{name}H{further_horizon}"


def output_title(name: str) -> str:
    """The display name of any output: `max rise`, or `max rise, 100 candles`. Other names stay as they are."""
    found = re.fullmatch(OUTPUT_NAME_PATTERN, name)
    if found is None:
        return name
    return OUTPUT_TITLES[found[1]] + (f", {found[2][1:]} candles" if found[2] else "")
