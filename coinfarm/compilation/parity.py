"""Measures how close the predictions of a compiled form are to those of the model."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from coinfarm.errors import ModelError
from coinfarm.models.compiled_form import Parity

Outputs = NDArray[np.float32]


def parity(names: Sequence[str], expected: Outputs, actual: Outputs) -> dict[str, Parity]:
    """The parity of each output, from the predictions `(N, outputs)` of float32 Keras and of the compiled form for the same frames.

    Raises `ModelError` for a model that predicts the same for every frame, because nothing can be compared.
    """
    measured = {}
    for name, reference, compiled in zip(names, expected.T.astype(np.float64), actual.T.astype(np.float64), strict=True):
        deviation = reference.std()
        if deviation == 0:
            raise ModelError(f"the model's {name} is {reference[0]} for every frame: an untrained model cannot be compared")
        correlation = np.corrcoef(reference, compiled)[0, 1] if compiled.std() else 0.0
        rms_difference = np.sqrt(((compiled - reference) ** 2).mean())
        measured[name] = Parity(
            correlation=round(float(np.clip(correlation, -1, 1)), 6),
            rms_difference_share=round(float(rms_difference / deviation), 5),
        )
    return measured


def passes(measured: Mapping[str, Parity]) -> bool:
    """Whether every output is close enough to publish the form."""
    return all(output.is_close for output in measured.values())
