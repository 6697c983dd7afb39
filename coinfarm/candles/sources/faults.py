"""Invalid candles of a file: one line for each kind of fault, with a count and the place of the first."""

import numpy as np

from coinfarm.candles.sources.columns import MeantColumns
from coinfarm.candles.sources.raw_table import counted
from coinfarm.candles.validation import candle_faults
from coinfarm.errors import CandleError, ErrorDetail
from coinfarm.reports.formatting import minute_text
from image_render.windows import Columns


def check_candles(columns: MeantColumns, interval: str) -> None:
    """Raise `CandleError` for invalid candles."""
    arrays = columns.arrays
    values = Columns(*(arrays[name] for name in Columns._fields))
    details = []
    for fault in candle_faults(columns.open_time, values, interval):
        at = fault.at
        where = counted(columns.rows[at], len(columns), columns.table)
        first = int(at[0])
        name = "" if fault.field == "openTime" else f", {fault.field} {values[Columns._fields.index(fault.field)][first]:.10g}"
        if name and np.isnan(values[Columns._fields.index(fault.field)][first]):
            details.append(ErrorDetail("", f"{where}: the {fault.field} is missing ({minute_text(int(columns.open_time[first]))})"))
            continue
        details.append(ErrorDetail("", f"{where}: the {fault.field} {fault.detail} ({minute_text(int(columns.open_time[first]))}{name})"))
    if details:
        raise CandleError(*details)
