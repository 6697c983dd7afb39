"""Whether a compiled form still says what the model says."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from coinfarm.errors import ModelError
from coinfarm.models.compiled_form import Parity

Outputs = NDArray[np.float32]


def parity(names: Sequence[str], expected: Outputs, actual: Outputs) -> dict[str, Parity]:
    """Of each output, from `(N, outputs)` of float32 Keras and of the compiled form, on the same frames.

    Raises `ModelError` for a model that gives every frame the same answer: nothing can be compared then.
    """
    measured = {}
    for name, wanted, given in zip(names, expected.T.astype(np.float64), actual.T.astype(np.float64), strict=True):
        deviation = wanted.std()
        if deviation == 0:
            raise ModelError(f"the model's {name} is {wanted[0]} for every frame: it has learnt nothing that could be compared")
        correlation = np.corrcoef(wanted, given)[0, 1] if given.std() else 0.0
        rms_difference = np.sqrt(((given - wanted) ** 2).mean())
        measured[name] = Parity(
            correlation=round(float(np.clip(correlation, -1, 1)), 6),
            rms_difference_share=round(float(rms_difference / deviation), 5),
        )
    return measured


def passes(measured: Mapping[str, Parity]) -> bool:
    """Whether every output is close enough to publish the form."""
    return all(output.is_close for output in measured.values())
