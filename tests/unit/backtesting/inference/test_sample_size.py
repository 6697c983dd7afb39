"""The effective number of overlapping observations."""

import numpy as np
import pytest

from coinfarm.backtesting.inference.sample_size import independent_count


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], 0.0),
        ([(0, 10), (10, 20), (35, 40)], 3.0),
        ([(0, 10), (0, 10), (0, 10)], 1.0),
        ([(0, 10), (5, 15)], 1.5),
        ([(0, 30), (10, 20)], 5 / 6 + 1 / 2),
    ],
    ids=["none", "consecutive", "simultaneous", "half overlapping", "nested"],
)
def test_counts_an_observation_by_its_uniqueness(spans: list[tuple[int, int]], expected: float) -> None:
    start, stop = np.array(spans, np.int64).reshape(-1, 2).T
    assert independent_count(start, stop) == pytest.approx(expected)


def test_horizons_of_thirty_candles_count_one_thirtieth_each() -> None:
    start = np.arange(3_000, dtype=np.int64)
    assert independent_count(start, start + 30) == pytest.approx(100, abs=4)
