import numpy as np
import pytest

from coinfarm.compilation.parity import parity, passes
from coinfarm.models.compiled_form import Parity

NAMES = ("maxRisePct", "maxDeclinePct")


def column(*values: float) -> np.ndarray:
    return np.array(values, np.float32)[:, None]


def test_difference_is_relative_to_the_deviation_of_each_output() -> None:
    expected = np.hstack([column(-1, 1, -1, 1), column(-100, 100, -100, 100)])
    measured = parity(NAMES, expected, expected + np.float32(0.5))
    assert measured["maxRisePct"] == Parity(correlation=1, rms_difference_share=0.5)
    assert measured["maxDeclinePct"] == Parity(correlation=1, rms_difference_share=0.005)


def test_constant_predictions_have_no_correlation() -> None:
    assert parity(NAMES[:1], column(-1, 1), column(0, 0))["maxRisePct"] == Parity(correlation=0, rms_difference_share=1)


@pytest.mark.parametrize(("rounding", "is_close"), [(0.0, True), (0.01, True), (0.2, False)])
def test_the_difference_of_a_constant_output_is_relative_to_the_outputs_that_vary(rounding: float, is_close: bool) -> None:
    expected = np.hstack([column(-1, 1, -1, 1), column(3, 3, 3, 3)])
    measured = parity(NAMES, expected, expected + np.array([0.0, rounding], np.float32))
    assert measured["maxDeclinePct"] == Parity(correlation=1, rms_difference_share=rounding)
    assert passes(measured) is is_close


def test_an_output_that_varies_only_by_rounding_is_constant() -> None:
    expected = np.hstack([column(-1, 1, -1, 1), column(2, 2 + 5e-7, 2, 2)])
    measured = parity(NAMES, expected, np.hstack([column(-1, 1, -1, 1), column(2, 2, 2, 2)]))
    assert measured["maxDeclinePct"] == Parity(correlation=1, rms_difference_share=0)


@pytest.mark.parametrize(("value", "magnitude"), [(2, 2), (0, 1)])
def test_the_outputs_of_a_constant_model_are_compared_by_their_magnitude(value: float, magnitude: float) -> None:
    expected = column(value, value, value)
    measured = parity(NAMES[:1], expected, expected + np.float32(0.5))
    assert measured["maxRisePct"] == Parity(correlation=1, rms_difference_share=0.5 / magnitude)


@pytest.mark.parametrize(
    ("correlation", "rms_difference_share", "good"),
    [
        pytest.param(0.999, 0.04, True, id="at both limits"),
        pytest.param(0.9989, 0.01, False, id="correlation too low"),
        pytest.param(0.9999, 0.0401, False, id="difference too large"),
    ],
)
def test_every_output_must_be_close(correlation: float, rms_difference_share: float, good: bool) -> None:
    close = Parity(correlation=1, rms_difference_share=0)
    other = Parity(correlation=correlation, rms_difference_share=rms_difference_share)
    assert passes({"maxRisePct": close, "maxDeclinePct": other}) is good
