"""Metrics against values computed by hand."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from coinfarm.synthetic import generate
from coinfarm.training.config import Period
from coinfarm.training.dataset import Samples, samples
from coinfarm.training.evaluation import evaluate, naive_baselines, scores
from tests.made_candles import START_MS

Values = NDArray[np.float64]


def in_all_columns(*values: float) -> Values:
    return np.repeat(np.array(values)[:, None], 3, axis=1)


ACTUAL = in_all_columns(1.0, 3.0, 2.0, 4.0)


def test_r2_is_one_for_the_truth_zero_for_its_mean_and_negative_for_worse() -> None:
    r2 = [scores(predicted, ACTUAL)["maxRisePct"]["r2"] for predicted in (ACTUAL, np.full((4, 3), 2.5), np.zeros((4, 3)))]
    assert r2 == [1.0, 0.0, -5.0]  # 1 - (1 + 9 + 4 + 16) / (2.25 + 0.25 + 0.25 + 2.25)


def test_the_mean_absolute_error_is_in_percent_points() -> None:
    assert scores(ACTUAL + in_all_columns(0.5, -0.5, 1.0, 0.0), ACTUAL)["maxDeclinePct"]["meanAbsoluteErrorPct"] == 0.5


@pytest.mark.parametrize(
    ("predicted", "correlation"),
    [
        pytest.param((1, 3, 2, 4), 1.0, id="the same order"),
        pytest.param((10, 1e6, 11, 1e9), 1.0, id="the same order, other sizes"),
        pytest.param((4, 2, 3, 1), -1.0, id="the reverse"),
        pytest.param((1, 2, 3, 4), 0.8, id="two exchanged"),  # 1 - 6 * (1 + 1) / (4 * 15)
        pytest.param((1, 2, 2, 3), 0.94868, id="a tie"),  # ranks 1, 2.5, 2.5, 4: 4.5 / sqrt(4.5 * 5)
        pytest.param((5, 5, 5, 5), 0.0, id="a constant ranks nothing"),
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
        pytest.param((1, -1, 1, 1), 100.0, id="all right, where it moved"),
        pytest.param((1, 1, 1, -1), 33.33333, id="one of three right"),
        pytest.param((-1, 1, 0, -1), 0.0, id="none right"),
        pytest.param((1, 0, 0, 0), 33.33333, id="nothing said is not right"),
        pytest.param((0, 0, 5, 0), None, id="nothing said of what moved"),
    ],
)
def test_a_direction_is_right_or_wrong_only_where_the_price_moved(predicted: tuple[float, ...], right_pct: float | None) -> None:
    actual = in_all_columns(2.0, -3.0, 0.0, 0.1)
    assert scores(in_all_columns(*predicted), actual)["endChangePct"]["directionRightPct"] == right_pct


def test_only_the_end_has_a_direction() -> None:
    by_output = scores(ACTUAL, ACTUAL)
    assert [name for name, metrics in by_output.items() if "directionRightPct" in metrics] == ["endChangePct"]


def test_each_output_is_judged_by_its_own_column() -> None:
    predicted = ACTUAL + np.array([0.0, 1.0, 2.0])
    errors = {name: metrics["meanAbsoluteErrorPct"] for name, metrics in scores(predicted, ACTUAL).items()}
    assert errors == {"maxRisePct": 0, "maxDeclinePct": 1, "endChangePct": 2}


@pytest.fixture(scope="module")
def hours() -> tuple[Samples, Samples]:
    """Samples to learn from, and others to be judged on."""
    coin = generate("DEMOUSD", "1h", START_MS, 24 * 31, seed=1)
    days = [Period(start=date(2020, 1, first), stop=date(2020, 1, last)) for first, last in ((1, 16), (16, 31))]
    train, test = (samples([coin], period, 30) for period in days)
    return train, test


def test_the_constants_of_the_baselines_come_from_training_alone(hours: tuple[Samples, Samples]) -> None:
    train, test = hours
    baselines = naive_baselines(test, train)
    slope = [np.linalg.lstsq(train.range_pct[:, None], target, rcond=None)[0][0] for target in train.targets_pct.T]
    assert not baselines["zero"].any()
    np.testing.assert_allclose(baselines["trainingMean"], np.tile(train.targets_pct.mean(axis=0), (len(test), 1)))
    np.testing.assert_allclose(baselines["constantTimesRange"], test.range_pct[:, None] * np.array(slope))


def test_a_model_is_judged_beside_every_baseline(hours: tuple[Samples, Samples]) -> None:
    train, test = hours
    metrics = evaluate(test.targets_pct, test, train)
    assert metrics["frames"] == len(test)
    assert metrics["model"]["maxRisePct"]["r2"] == 1.0
    assert set(metrics["baselines"]) == {"zero", "trainingMean", "constantTimesRange"}
    assert metrics["baselines"]["trainingMean"]["maxRisePct"]["r2"] < 0.01
