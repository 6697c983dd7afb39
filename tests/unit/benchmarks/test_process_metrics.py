"""The trend of a process's metrics."""

import numpy as np
import pytest

from benchmarks.soak.process_metrics import trend

SECONDS = np.arange(600.0)


@pytest.mark.parametrize(
    ("memory_mb", "growth"),
    [
        pytest.param(np.full(600, 200.0), 0, id="constant"),
        pytest.param(200 + np.minimum(SECONDS, 200) / 10, 0, id="growth in the first third"),
        pytest.param(200 + 50 * (SECONDS % 60 > 40), 0, id="peaks while models load"),
        pytest.param(200 + SECONDS / 10, 40, id="leak"),
        pytest.param(200 + SECONDS // 60 * 10 + 50 * (SECONDS % 60 > 40), 70, id="leak per model"),
    ],
)
def test_growth_ignores_peaks_and_the_first_third(memory_mb, growth):
    assert trend(list(SECONDS), list(memory_mb)).growth == pytest.approx(growth, abs=15)
