"""The block length, compared with arch."""

import numpy as np
import pytest
from arch.bootstrap import optimal_block_length

from coinfarm.bootstrap.block_length import circular_block_length
from tests.support.daily_profits import autoregression


@pytest.mark.parametrize("persistence", [0.0, 0.5, 0.9, -0.4])
@pytest.mark.parametrize("days", [25, 92, 400])
def test_equals_that_of_arch(days: int, persistence: float) -> None:
    for seed in range(5):
        values = autoregression(np.random.default_rng(seed), days, persistence)
        expected = max(1.0, float(optimal_block_length(values)["circular"].iloc[0]))
        assert circular_block_length(values) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("values", [[], [1.0, 2.0], [3.0] * 50], ids=["none", "two", "constant"])
def test_is_one_for_few_or_constant_values(values: list[float]) -> None:
    assert circular_block_length(np.array(values)) == 1.0
