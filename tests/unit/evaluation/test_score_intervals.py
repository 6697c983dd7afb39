import numpy as np
import pytest

from coinfarm.candles.day import DAY_MS
from coinfarm.evaluation.score_intervals import ScoreIntervals

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
HORIZON, FRAMES_PER_DAY = 30, 24
DAYS = 60


def intervals_of(times: np.ndarray, interval_ms: int = MINUTE_MS) -> ScoreIntervals:
    return ScoreIntervals.of(np.asarray(times), interval_ms, HORIZON)


def hours(days: int) -> np.ndarray:
    return np.arange(days * FRAMES_PER_DAY) * HOUR_MS + 5 * DAY_MS


def test_frames_of_all_coins_on_one_day_share_a_bin() -> None:
    found = intervals_of(np.array([3 * DAY_MS, 3 * DAY_MS + 5, 4 * DAY_MS, 6 * DAY_MS - 1, 3 * DAY_MS + 3, 4 * DAY_MS]))
    assert found.bin_of.tolist() == [0, 0, 1, 2, 0, 1]
    assert (found.bins, found.min_block, found.block_candles) == (3, 1, 1440)


def test_a_block_lasts_a_window_and_a_horizon_at_least() -> None:
    found = intervals_of(hours(DAYS), HOUR_MS)
    assert (found.min_block, found.block_candles) == (10, 240)
    assert (intervals_of(np.arange(400) * DAY_MS, DAY_MS).min_block) == 230


def test_bins_grow_with_the_period() -> None:
    years = intervals_of(np.arange(1_500) * DAY_MS)
    assert (years.bins, years.min_block, years.block_candles) == (500, 1, 3 * 1440)


def test_the_interval_contains_the_ratio() -> None:
    count = DAYS * FRAMES_PER_DAY
    correct = (np.random.default_rng(1).random(count) < 0.6).astype(float)
    (bounds,) = intervals_of(hours(DAYS)).of_counts([correct], [np.ones(count)])
    assert bounds is not None
    assert bounds[0] < correct.mean() < bounds[1]
    # of independent predictions: 90 % are 3.3 standard errors, 3.9 if six transforms estimate the standard error
    assert bounds[1] - bounds[0] == pytest.approx(3.6 * np.sqrt(0.24 / count), rel=0.4)


def test_identical_coins_do_not_narrow_the_interval() -> None:
    times = hours(DAYS)
    correct = (np.random.default_rng(1).random(len(times)) < 0.6).astype(float)
    (alone,) = intervals_of(times).of_counts([correct], [np.ones(len(times))])
    (thrice,) = intervals_of(np.tile(times, 3)).of_counts([np.tile(correct, 3)], [np.ones(3 * len(times))])
    assert alone is not None
    assert thrice == pytest.approx(alone)


@pytest.mark.parametrize(("days", "is_known"), [(9, False), (10, True)])
def test_a_short_period_has_no_interval(days: int, is_known: bool) -> None:
    times = hours(days)
    (bounds,) = intervals_of(times).of_counts([times // HOUR_MS % 2], [np.ones(len(times))])
    assert (bounds is not None) == is_known


def test_a_part_has_an_interval_only_if_it_has_frames_on_enough_days() -> None:
    times = hours(DAYS)
    correct = (np.random.default_rng(1).random(len(times)) < 0.6).astype(float)
    parts = [times < times[0] + days * DAY_MS for days in (0, 9, 30)]
    nothing, short, month = intervals_of(times).of_counts([correct * part for part in parts], [part.astype(float) for part in parts])
    assert nothing is short is None
    first = hours(30)
    assert [month] == intervals_of(first).of_counts([correct[: len(first)]], [np.ones(len(first))])


def test_the_interval_of_a_slope_contains_the_weighted_slope() -> None:
    """Frames with a large weight have a larger slope, and a larger mean."""
    random = np.random.default_rng(1)
    times = hours(DAYS)
    weights = np.where(np.arange(len(times)) % 2, 9.0, 1.0)
    predicted = weights + random.normal(size=len(times))
    actual = np.where(weights > 1, 2.0, 0.5) * predicted + random.normal(size=len(times))
    for each in (None, weights):
        slope = np.polyfit(predicted, actual, 1, w=None if each is None else np.sqrt(each))[0]
        bounds = intervals_of(times).of_slope(predicted, actual, each).bounds
        assert bounds is not None
        assert bounds[0] < slope < bounds[1] < bounds[0] + 0.2
