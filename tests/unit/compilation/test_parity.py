"""How far a compiled form is from the model, and when that is too far."""

import numpy as np
import pytest

from coinfarm.compilation.parity import parity, passes
from coinfarm.errors import ModelError
from coinfarm.models.compiled_form import Parity

NAMES = ("maxRisePct", "maxDeclinePct")


def column(*values: float) -> np.ndarray:
    return np.array(values, np.float32)[:, None]


def test_each_output_is_compared_with_its_own_deviation() -> None:
    expected = np.hstack([column(-1, 1, -1, 1), column(-100, 100, -100, 100)])
    measured = parity(NAMES, expected, expected + np.float32(0.5))
    assert measured["maxRisePct"] == Parity(correlation=1, rms_difference_share=0.5)
    assert measured["maxDeclinePct"] == Parity(correlation=1, rms_difference_share=0.005)


def test_a_form_that_answers_nothing_correlates_with_nothing() -> None:
    assert parity(NAMES[:1], column(-1, 1), column(0, 0))["maxRisePct"] == Parity(correlation=0, rms_difference_share=1)


def test_a_model_that_says_the_same_of_every_frame_cannot_be_compared() -> None:
    with pytest.raises(ModelError, match=r"maxRisePct is 2\.0 for every frame"):
        parity(NAMES[:1], column(2, 2), column(2, 2))


@pytest.mark.parametrize(
    ("correlation", "rms_difference_share", "good"),
    [
        pytest.param(0.999, 0.04, True, id="just close enough"),
        pytest.param(0.9989, 0.01, False, id="correlation too low"),
        pytest.param(0.9999, 0.0401, False, id="difference too large"),
    ],
)
def test_one_output_that_is_too_far_off_fails_the_form(correlation: float, rms_difference_share: float, good: bool) -> None:
    close = Parity(correlation=1, rms_difference_share=0)
    other = Parity(correlation=correlation, rms_difference_share=rms_difference_share)
    assert passes({"maxRisePct": close, "maxDeclinePct": other}) is good
