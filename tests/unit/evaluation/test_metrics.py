import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from coinfarm.evaluation.metrics import daily_rank_correlations, deciles, line_through, r2, scores, t_statistic

Values = NDArray[np.float64]


def in_all_columns(*values: float) -> Values:
    return np.repeat(np.array(values)[:, None], 3, axis=1)


ACTUAL = in_all_columns(1.0, 3.0, 2.0, 4.0)


def test_r2_is_one_for_perfect_predictions_and_zero_for_the_mean() -> None:
    r2 = [scores(predicted, ACTUAL)["maxRisePct"]["r2"] for predicted in (ACTUAL, np.full((4, 3), 2.5), np.zeros((4, 3)))]
    assert r2 == [1.0, 0.0, -5.0]  # 1 - (1 + 9 + 4 + 16) / (2.25 + 0.25 + 0.25 + 2.25)


@pytest.mark.parametrize(
    ("predicted", "correlation"),
    [
        pytest.param((10, 1e6, 11, 1e9), 1.0, id="the same order, other sizes"),
        pytest.param((4, 2, 3, 1), -1.0, id="the reverse"),
        pytest.param((1, 2, 3, 4), 0.8, id="two swapped"),  # 1 - 6 * (1 + 1) / (4 * 15)
        pytest.param((1, 2, 2, 3), 0.94868, id="a tie"),  # ranks 1, 2.5, 2.5, 4: 4.5 / sqrt(4.5 * 5)
        pytest.param((5, 5, 5, 5), 0.0, id="a constant"),
    ],
)
def test_the_rank_correlation_is_spearmans(predicted: tuple[float, ...], correlation: float) -> None:
    assert scores(in_all_columns(*predicted), ACTUAL)["endChangePct"]["rankCorrelation"] == correlation


FEW_VALUES = arrays(np.float64, 20, elements=st.integers(0, 5)).filter(np.ptp)


@given(predicted=FEW_VALUES, actual=FEW_VALUES)
def test_ties_share_their_mean_rank(predicted: Values, actual: Values) -> None:
    def mean_rank(values: Values, value: float) -> float:
        return float((values < value).sum() + ((values == value).sum() + 1) / 2)

    ranks = [[mean_rank(values, value) for value in values] for values in (predicted, actual)]
    found = scores(in_all_columns(*predicted), in_all_columns(*actual))["endChangePct"]["rankCorrelation"]
    assert found == pytest.approx(np.corrcoef(ranks)[0, 1], abs=1e-5)


@pytest.mark.parametrize(
    ("predicted", "right_pct"),
    [
        pytest.param((1, -1, 1, 1), 100.0, id="all correct where it moved"),
        pytest.param((1, 1, 1, -1), 33.33333, id="one of three correct"),
        pytest.param((1, 0, 0, 0), 33.33333, id="no prediction is not correct"),
        pytest.param((0, 0, 5, 0), None, id="no predictions"),
    ],
)
def test_direction_counts_only_where_the_price_moved(predicted: tuple[float, ...], right_pct: float | None) -> None:
    actual = in_all_columns(2.0, -3.0, 0.0, 0.1)
    assert scores(in_all_columns(*predicted), actual)["endChangePct"]["directionRightPct"] == right_pct


def test_each_output_is_scored_by_its_own_column() -> None:
    predicted = ACTUAL + np.array([0.0, 1.0, 2.0])
    by_output = scores(predicted, ACTUAL)
    errors = {name: metrics["meanAbsoluteErrorPct"] for name, metrics in by_output.items()}
    assert errors == {"maxRisePct": 0, "maxDeclinePct": 1, "endChangePct": 2}
    assert [name for name, metrics in by_output.items() if "directionRightPct" in metrics] == ["endChangePct"]


def test_constant_outcomes_have_no_score() -> None:
    """Not NaN, which JSON does not have, and no warning."""
    constant = np.full((4, 3), 2.0)
    by_output = scores(ACTUAL, constant)
    assert by_output["maxRisePct"]["r2"] is None
    assert by_output["maxRisePct"]["rankCorrelation"] is None
    assert by_output["endChangePct"]["directionRightPct"] == 100.0
    assert scores(ACTUAL, np.zeros((4, 3)))["endChangePct"]["directionRightPct"] is None


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_frames_have_no_score(count: int) -> None:
    few = np.ones(count)
    assert (r2(few, few), line_through(few, few), t_statistic(few)) == (None, None, None)


DAY_MS = 86_400_000


def test_there_is_one_rank_correlation_per_utc_day() -> None:
    """One day with the right order and one with the reverse; a day of nine frames and one without moves are left out."""
    rising = np.arange(10.0)
    predicted = np.concatenate([rising, rising, rising[:9], rising])
    actual = np.concatenate([rising, -rising, rising[:9], np.zeros(10)])
    close_time = np.repeat([4 * DAY_MS - 10, 4 * DAY_MS - 10, 5 * DAY_MS, 6 * DAY_MS], [10, 10, 9, 10]) + np.arange(39)
    shuffled = np.random.default_rng(1).permutation(39)
    found = daily_rank_correlations(predicted[shuffled], actual[shuffled], close_time[shuffled])
    assert [(day.day, day.frames, day.rank_correlation) for day in found] == [(3, 10, 1.0), (4, 10, -1.0)]


def test_the_t_statistic_is_the_mean_over_its_standard_error() -> None:
    assert t_statistic(np.array([1.0, 2.0, 3.0])) == pytest.approx(2 / (1 / np.sqrt(3)), abs=1e-5)


def test_predictions_that_are_too_large_have_a_slope_below_one() -> None:
    truth = np.array([-1.0, 0.0, 1.0, 4.0])
    assert line_through(2 * truth + 1, truth) == (0.5, -0.5)


def test_deciles_are_ordered_by_prediction() -> None:
    predicted = np.random.default_rng(1).permutation(np.arange(25.0))
    groups = [predicted[part] for part in deciles(predicted)]
    assert [len(group) for group in groups] == [3] * 5 + [2] * 5
    assert np.concatenate([np.sort(group) for group in groups]).tolist() == list(range(25))
    assert [part.tolist() for part in deciles(np.ones(4))] == [[0, 1, 2, 3]]
