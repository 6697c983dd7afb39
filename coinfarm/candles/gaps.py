"""Gaps in a series: filling or rejecting them."""

from dataclasses import replace

import numpy as np

from coinfarm.candles.candles import Candles
from coinfarm.candles.validation import MAX_CANDLES, MAX_ERRORS
from coinfarm.errors import CandleError, ErrorDetail, TooLarge
from image_render.windows import Columns


def fill_gaps(candles: Candles, max_candles: int = MAX_CANDLES) -> Candles:
    """The same candles with gaps filled: a missing candle is flat at the close before it, and has no volume.

    Raises `TooLarge` for more than `max_candles`, before memory is allocated for them.
    """
    candles = without_trades_as_filled(candles)
    if not len(candles):
        return candles
    count = int((candles.open_time[-1] - candles.open_time[0]) // candles.interval_ms) + 1
    if count > max_candles:
        raise TooLarge(
            f"{len(candles)} candles span {count} intervals of {candles.interval} with their gaps filled; "
            f"at most {max_candles} are allowed: split the series at long gaps"
        )
    if count == len(candles):
        return candles
    steps = np.diff(candles.open_time) // candles.interval_ms
    source = np.repeat(np.arange(len(candles)), np.append(steps, 1))
    filled = np.append(False, source[1:] == source[:-1])
    columns = [column[source] for column in candles.columns]
    flat = columns[Columns._fields.index("close")]
    for field, column in zip(Columns._fields, columns, strict=True):
        column[filled] = 0.0 if field == "volume" else flat[filled]
    open_time = candles.open_time[0] + np.arange(count, dtype=np.int64) * candles.interval_ms
    return Candles(candles.symbol, candles.interval, open_time, Columns(*columns), candles.filled[source] | filled)


def without_trades_as_filled(candles: Candles) -> Candles:
    """The same candles, of which flat ones without volume count as filled: some sources write them, others leave them out."""
    values = candles.columns
    is_empty = (values.volume == 0) & (values.high == values.low) & ~candles.filled
    return replace(candles, filled=candles.filled | is_empty) if is_empty.any() else candles


def reject_gaps(candles: Candles) -> Candles:
    """The same candles. Raises `CandleError`, which names each candle after a gap."""
    missing = np.diff(candles.open_time) // candles.interval_ms - 1
    gaps = np.flatnonzero(missing)[:MAX_ERRORS]
    if len(gaps):
        raise CandleError(
            *(
                ErrorDetail(
                    f"/candles/{at + 1}/openTime",
                    f"{missing[at]} candles are missing before it: add them, or fill gaps (gaps=fill)",
                )
                for at in gaps
            )
        )
    return without_trades_as_filled(candles)
