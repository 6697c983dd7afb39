"""The correction of a network's output by the size of the window's price range, which the image does not show."""

from typing import Annotated

import numpy as np
from pydantic import Field, FiniteFloat

from coinfarm.candles.arrays import Values
from coinfarm.documents import Document

RangePct = Annotated[FiniteFloat, Field(ge=1e-9)]


class OutputCorrection(Document):
    """A raw output becomes `intercept + slope * raw`, where both are linear in the logarithm of the window's price range in percent.

    Ranges below `min_range_pct` or above `max_range_pct` count as these: beyond them nothing was learnt.
    """

    intercept: FiniteFloat = 0.0
    slope: FiniteFloat = 1.0
    intercept_per_log_range: FiniteFloat = 0.0
    slope_per_log_range: FiniteFloat = 0.0
    min_range_pct: RangePct = 1e-9
    max_range_pct: RangePct = 1e9

    def apply(self, raw: Values, range_pct: Values) -> Values:
        """The corrected outputs `(n,)` of windows with these price ranges `(n,)`, in the unit of the raw ones."""
        log_range = np.log(np.clip(range_pct, self.min_range_pct, self.max_range_pct))
        intercept = self.intercept + self.intercept_per_log_range * log_range
        slope = self.slope + self.slope_per_log_range * log_range
        corrected: Values = intercept + slope * raw
        return corrected

    def shrunk(self, factor: float, mean: float) -> "OutputCorrection":
        """The correction followed by `mean + factor * (output - mean)`."""
        changed = {
            "intercept": factor * self.intercept + (1.0 - factor) * mean,
            "slope": factor * self.slope,
            "intercept_per_log_range": factor * self.intercept_per_log_range,
            "slope_per_log_range": factor * self.slope_per_log_range,
        }
        return self.model_copy(update=changed)
