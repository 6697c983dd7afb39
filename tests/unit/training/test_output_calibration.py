from types import ModuleType

import numpy as np
import pytest

from coinfarm.candles.synthetic import generate
from coinfarm.models.calibration import OutputCalibration
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.targets import flip_targets
from coinfarm.training.config import REFERENCE_NETWORK, BlockConfig, DateRange
from coinfarm.training.dataset import WindowDataset, build_dataset
from coinfarm.training.network import build_network
from coinfarm.training.output_calibration import calibrate_outputs, fold_calibration, mean_targets
from image_render.spec import STANDARD
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
        assert calibration.slope == calibration.factor == pytest.approx(planted, rel=0.03)
        assert calibration.slope_interval is not None
        low, high = calibration.slope_interval
        assert low < planted < high < low + 0.15


@pytest.mark.parametrize("sign", [0, -1])
def test_an_output_that_is_not_predicted_becomes_constant(dataset: WindowDataset, sign: int) -> None:
    """Neither noise nor the opposite of what happened is a prediction."""
    targets = dataset.targets("window_range")
    outputs = noisy(targets)
    outputs[:, 2] = sign * targets[:, 2] + np.random.default_rng(2).normal(size=len(targets))
    rise, decline, end = calibrate(outputs, dataset)
    assert end.slope_interval is not None
    assert end.slope_interval[0] <= 0.0
    assert end.factor == 0.0
    assert min(rise.factor, decline.factor) > 0.8


def test_every_interval_has_the_same_weight(dataset: WindowDataset) -> None:
    targets = dataset.targets("window_range")
    first = dataset.series_index == 0
    assert 10 * first.sum() < len(first)
    predicted = targets / np.where(first, 0.5, 1.0)[:, None]
    parts = [(np.cov(predicted[part].T), np.cov(predicted[part, 0], targets[part, 0])[0, 1]) for part in (first, ~first)]
    expected = sum(covariance for _, covariance in parts) / sum(variance[0, 0] for variance, _ in parts)
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


def test_folds_the_factors_into_the_last_layer(keras: ModuleType) -> None:
    network = REFERENCE_NETWORK.model_copy(update={"dense_units": 4, "blocks": (BlockConfig(filters=2, strides=(40, 1)),)})
    model = build_network(network, MEAN)
    last = model.layers[-1]
    last.set_weights([np.random.default_rng(3).normal(size=weight.shape) for weight in last.get_weights()])
    unchanged = last.get_weights()
    frames = np.random.default_rng(4).integers(0, 2, (50, *STANDARD.shape), np.uint8)
    before = np.asarray(model(frames))
    factors = np.array([1.0, 0.7, 0.0])
    fold_calibration(model, [OutputCalibration(mean=mean, factor=factor) for mean, factor in zip(MEAN, factors, strict=True)])
    after = np.asarray(model(frames))
    np.testing.assert_allclose(after, MEAN + factors * (before - MEAN), rtol=1e-5, atol=1e-6)
    assert before.std(axis=0).min() > 0
    assert after[:, 2].tolist() == [np.float32(MEAN[2])] * 50
    for weight, old in zip(last.get_weights(), unchanged, strict=True):
        np.testing.assert_array_equal(weight[..., 0], old[..., 0])
