"""A HAR model: the moves of the horizon, from realised volatilities over a short, a medium and a long span.

Source: Corsi 2009, "A simple approximate long-memory model of realized volatility". His spans are a day, a week and a month, 1, 5 and 22
days; here the month is the window, so that every interval has the same spans in candles.
"""

from dataclasses import dataclass

import numpy as np

from coinfarm.candles.arrays import Values
from coinfarm.outputs import OUTPUT_NAMES

SPANS = (9, 45, 199)
"""The returns from candle to candle that a volatility is realised over: about 1 : 5 : 22, all within the window."""
_END = OUTPUT_NAMES.index("endChangePct")


@dataclass(frozen=True, eq=False)
class HarModel:
    """Coefficients `(3, 3)` of the volatilities over the `SPANS`, by output, and an intercept `(3,)`."""

    coefficients: Values
    intercept_pct: Values

    @classmethod
    def fit(cls, volatility_pct: Values, targets_pct: Values) -> "HarModel":
        """By ordinary least squares, from realised volatilities `(n, 3)` and targets `(n, 3)` in percent.

        Volatility has no direction, so the end change is predicted by its mean.
        """
        regressors = np.column_stack([np.ones(len(volatility_pct)), volatility_pct])
        # The normal equations: a factorisation of all rows would need as much memory again.
        solution = np.linalg.lstsq(regressors.T @ regressors, regressors.T @ targets_pct, rcond=None)[0]
        intercept, coefficients = solution[0], solution[1:]
        intercept[_END], coefficients[:, _END] = targets_pct[:, _END].mean(), 0.0
        return cls(coefficients, intercept)

    def predict(self, volatility_pct: Values) -> Values:
        """`(n, 3)` in percent."""
        predicted: Values = volatility_pct @ self.coefficients + self.intercept_pct
        return predicted
