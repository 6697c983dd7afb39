"""Measures how close the predictions of a compiled form are to those of the model."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Values
from coinfarm.models.compiled_form import Parity

Outputs = NDArray[np.float32]

_MAX_ROUNDING = 1e-5
"""An output is constant if its standard deviation is at most this share of its magnitude: float32 rounds that much."""


def parity(names: Sequence[str], expected: Outputs, actual: Outputs) -> dict[str, Parity]:
    """The parity of each output, from the predictions `(N, outputs)` of float32 Keras and of the compiled form for the same frames.

    A constant output has no deviation and no correlation: its difference is a share of the mean deviation of the outputs that vary, or of
    its own magnitude if none does.
    """
    references, compiled = expected.astype(np.float64), actual.astype(np.float64)
    magnitudes, deviations = _rms(references), references.std(axis=0)
    varies = deviations > _MAX_ROUNDING * magnitudes
    scales = np.where(varies, deviations, deviations[varies].mean() if varies.any() else np.where(magnitudes, magnitudes, 1.0))
    shares = _rms(compiled - references) / scales
    return {
        name: Parity(
            correlation=_correlation(references[:, at], compiled[:, at]) if varies[at] else 1.0,
            rms_difference_share=round(float(shares[at]), 5),
        )
        for at, name in enumerate(names)
    }


def passes(measured: Mapping[str, Parity]) -> bool:
    """Whether every output is close enough to publish the form."""
    return all(output.is_close for output in measured.values())


def _rms(columns: Values) -> Values:
    rms: Values = np.sqrt((columns**2).mean(axis=0))
    return rms


def _correlation(reference: Values, compiled: Values) -> float:
    correlation = np.corrcoef(reference, compiled)[0, 1] if compiled.std() else 0.0
    return round(float(np.clip(correlation, -1, 1)), 6)
