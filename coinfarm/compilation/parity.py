"""Measures how close the predictions of a compiled form are to those of the model."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Values
from coinfarm.errors import ModelError
from coinfarm.models.compiled_form import Parity

Outputs = NDArray[np.float32]


def parity(names: Sequence[str], expected: Outputs, actual: Outputs) -> dict[str, Parity]:
    """The parity of each output, from the predictions `(N, outputs)` of float32 Keras and of the compiled form for the same frames.

    A constant output has no deviation and no correlation: its difference is a share of the mean deviation of the outputs that vary.
    Raises `ModelError` for a model that predicts the same for every frame, because nothing can be compared.
    """
    deviations = expected.astype(np.float64).std(axis=0)
    if not deviations.any():
        raise ModelError(f"the model predicts {', '.join(map(str, expected[0]))} for every frame: an untrained model cannot be compared")
    of_varying = float(deviations[deviations > 0].mean())
    measured = {}
    for name, reference, compiled, deviation in zip(
        names, *(each.T.astype(np.float64) for each in (expected, actual)), deviations, strict=True
    ):
        rms_difference = np.sqrt(((compiled - reference) ** 2).mean())
        measured[name] = Parity(
            correlation=_correlation(reference, compiled) if deviation else 1.0,
            rms_difference_share=round(float(rms_difference / (deviation or of_varying)), 5),
        )
    return measured


def passes(measured: Mapping[str, Parity]) -> bool:
    """Whether every output is close enough to publish the form."""
    return all(output.is_close for output in measured.values())


def _correlation(reference: Values, compiled: Values) -> float:
    correlation = np.corrcoef(reference, compiled)[0, 1] if compiled.std() else 0.0
    return round(float(np.clip(correlation, -1, 1)), 6)
