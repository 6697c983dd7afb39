import numpy as np
import pytest

from coinfarm.candles.synthetic import generate
from coinfarm.models.calibration import OutputCalibration
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.targets import flip_targets
from coinfarm.training.config import DateRange
from coinfarm.training.dataset import WindowDataset, build_dataset
from coinfarm.training.output_calibration import calibrate_outputs, mean_targets
from tests.support.synthetic_candles import START_MS, day

HORIZON, DAYS = 30, 45
MEAN = np.array([0.2, -0.2, 0.01])
SLOPES = np.array([0.5, 1.5, 0.8])
NOISE = 0.3
ATTENUATION = 1.0 + NOISE**2
"""By this, noise in the predictions divides their slope."""


def dataset_of(days: int) -> WindowDataset:
    """Fifteen times as many windows of one coin's minutes as of another's 15 minutes."""
    series = [generate("DEMO1", "15m", START_MS, days * 96, seed=1), generate("DEMO2", "1m", START_MS, days * 1440, seed=2)]
    return build_dataset(series, DateRange(start=day(0), stop=day(days)), (HORIZON,), stride=7)


@pytest.fixture(scope="module")
def dataset() -> WindowDataset:
    return dataset_of(DAYS)


def noisy(targets: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(1).normal(size=targets.shape)
    return targets + NOISE * noise * targets.std(axis=0)


def calibrate(outputs: np.ndarray, dataset: WindowDataset) -> list[OutputCalibration]:
    found = calibrate_outputs(outputs, dataset, MEAN, "window_range")
    assert tuple(found) == OUTPUT_NAMES
    return list(found.values())


def test_recovers_planted_slopes(dataset: WindowDataset) -> None:
    found = calibrate(noisy(dataset.targets("window_range")) / SLOPES, dataset)
    for calibration, planted in zip(found, SLOPES / ATTENUATION, strict=True):
        assert calibration.slope == pytest.approx(planted, rel=0.03)
        assert calibration.factor == pytest.approx(calibration.slope, rel=0.01)
        assert calibration.slope_interval is not None
        low, high = calibration.slope_interval
        assert low < calibration.slope < high < low + 0.15


def test_an_output_that_is_hardly_predicted_is_shrunk(dataset: WindowDataset) -> None:
    """Of a slope of one standard error, half is left."""
    targets = dataset.targets("window_range")
    outputs = noisy(targets)
    outputs[:, 2] = 0.02 * targets[:, 2] + np.random.default_rng(2).normal(size=len(targets)) * targets[:, 2].std()
    rise, decline, end = calibrate(outputs, dataset)
    assert end.slope is not None
    assert end.slope_interval is not None
    error = (end.slope_interval[1] - end.slope_interval[0]) / 3.29
    assert end.factor == pytest.approx(max(end.slope, 0.0) / (1.0 + (error / end.slope) ** 2))
    assert end.factor < 0.9 * abs(end.slope)
    assert min(rise.factor, decline.factor) > 0.8


def test_an_output_that_predicts_the_opposite_becomes_constant(dataset: WindowDataset) -> None:
    targets = dataset.targets("window_range")
    outputs = noisy(targets)
    outputs[:, 2] = -outputs[:, 2]
    *_, end = calibrate(outputs, dataset)
    assert end.slope is not None
    assert end.slope < 0
    assert end.factor == 0.0


def test_every_interval_has_the_same_weight(dataset: WindowDataset) -> None:
    targets = dataset.targets("window_range")
    first = dataset.series_index == 0
    assert 10 * first.sum() < len(first)
    predicted = targets / np.where(first, 0.5, 1.0)[:, None]
    parts = [np.cov(predicted[part, 0], targets[part, 0], aweights=dataset.range_pct[part], ddof=0) for part in (first, ~first)]
    expected = sum(part[0, 1] for part in parts) / sum(part[0, 0] for part in parts)
    assert 0.5 < expected < 0.8
    assert calibrate(predicted, dataset)[0].slope == pytest.approx(expected, rel=1e-3)


def test_a_short_period_only_makes_the_end_change_constant() -> None:
    dataset = dataset_of(10)
    found = calibrate(0.5 * dataset.targets("window_range"), dataset)
    assert [each.factor for each in found] == [1.0, 1.0, 0.0]
    assert [each.slope_interval for each in found] == [None] * 3
    assert [each.slope for each in found] == pytest.approx([2.0] * 3)


def test_predictions_that_do_not_vary_have_no_slope(dataset: WindowDataset) -> None:
    found = calibrate(np.zeros((len(dataset), 3)), dataset)
    assert [(each.slope, each.factor) for each in found] == [(None, 0.0)] * 3


def test_the_mean_is_that_of_the_means_of_all_intervals(dataset: WindowDataset) -> None:
    targets = dataset.targets("window_range")
    expected = np.mean([targets[dataset.series_index == number].mean(axis=0) for number in range(2)], axis=0)
    mean = mean_targets(dataset, "window_range", mirrored=False)
    np.testing.assert_allclose(mean, expected)
    mirrored = mean_targets(dataset, "window_range", mirrored=True)
    np.testing.assert_allclose(mirrored, (expected + flip_targets(expected[None])[0]) / 2)
    assert mirrored[2] == 0.0
