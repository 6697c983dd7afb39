"""What a series in Binance's format must show: the step of its interval, and opens that follow closes."""

import numpy as np

from coinfarm.candles.candles import Candles
from coinfarm.candles.sources.evidence import Prices, opens_follow_closes, volume_fault
from coinfarm.errors import CandleError, ErrorDetail
from image_render.windows import Columns

_MIN_STEPS = 4


def check_series(candles: Candles) -> None:
    """Raise `CandleError` for candles of a longer interval than declared, and for exchanged columns."""
    step_ms = candles.interval_ms
    steps = np.diff(candles.open_time)
    if len(steps) >= _MIN_STEPS and steps.min() > step_ms and (steps == steps[0]).mean() > 0.5:
        raise CandleError(ErrorDetail("/candles", f"open {steps[0] / 60_000:g} minutes apart, not {candles.interval}: give their interval"))
    prices = Prices(*candles.columns[:4])
    if opens_follow_closes(prices, candles.open_time, step_ms) is False:
        raise CandleError(
            ErrorDetail(
                "/candles",
                f"do not open where the one before closed: open and close seem exchanged; send {', '.join(('openTime', *Columns._fields))}",
            )
        )
    if fault := volume_fault(candles.columns.volume, prices):
        raise CandleError(ErrorDetail("/candles", f"{fault}: send the volume of trades as the sixth field"))
