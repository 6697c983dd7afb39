import numpy as np
import pytest
from pydantic import ValidationError

from coinfarm.models.output_correction import OutputCorrection

CORRECTION = OutputCorrection(
    intercept=0.1, slope=0.8, intercept_per_log_range=0.02, slope_per_log_range=-0.1, min_range_pct=1.0, max_range_pct=np.e**2
)


@pytest.mark.parametrize(
    ("range_pct", "intercept", "slope"),
    [(np.e, 0.12, 0.7), (1.0, 0.1, 0.8), (0.0, 0.1, 0.8), (np.e**2, 0.14, 0.6), (np.e**9, 0.14, 0.6)],
    ids=["inside", "smallest", "no range", "largest", "beyond"],
)
def test_intercept_and_slope_depend_on_the_range(range_pct: float, intercept: float, slope: float) -> None:
    raw = np.array([-1.0, 0.0, 2.0])
    np.testing.assert_allclose(CORRECTION.apply(raw, np.full(3, range_pct)), intercept + slope * raw)


def test_without_values_nothing_changes() -> None:
    raw = np.array([-1.0, 0.3])
    assert OutputCorrection().apply(raw, np.array([0.0, 50.0])).tolist() == raw.tolist()


@pytest.mark.parametrize("factor", [0.0, 0.7])
def test_is_shrunk_towards_a_mean(factor: float) -> None:
    raw, range_pct = np.array([-1.0, 0.0, 2.0]), np.array([0.5, 3.0, 99.0])
    expected = 0.2 + factor * (CORRECTION.apply(raw, range_pct) - 0.2)
    np.testing.assert_allclose(CORRECTION.shrunk(factor, 0.2).apply(raw, range_pct), expected)


@pytest.mark.parametrize("document", [{"slope": float("nan")}, {"minRangePct": 0.0}, {"maxRangePct": float("inf")}])
def test_rejects_what_is_not_a_number(document: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        OutputCorrection.model_validate(document)
