import numpy as np
import pytest

from coinfarm.evaluation.score_intervals import BlockBootstrap

MINUTE_MS = 60_000
HORIZON, STRIDE = 30, 10


def bootstrap_of(times: list[int] | np.ndarray) -> BlockBootstrap:
    return BlockBootstrap.of(np.asarray(times) * MINUTE_MS, MINUTE_MS, STRIDE, HORIZON)


def test_frames_of_all_coins_that_close_together_share_a_bin() -> None:
    chance = bootstrap_of([1000, 1009, 1010, 1035, 1003, 1010])
    assert chance.bin_of.tolist() == [0, 0, 1, 3, 0, 1]
    assert chance.bins == 4
    assert (chance.bins_per_block, chance.block_candles) == (23, 230)


def test_blocks_grow_with_the_period() -> None:
    years = bootstrap_of(np.arange(0, 2_000_000, STRIDE))
    assert (years.bins_per_block, years.block_candles) == (23, 2_070)


def test_the_interval_contains_the_ratio() -> None:
    correct = (np.random.default_rng(1).random(5_000) < 0.6).astype(float)
    (bounds,) = bootstrap_of(np.arange(5_000) * STRIDE).ratio_intervals([correct], [np.ones(5_000)])
    assert bounds is not None
    assert bounds[0] < correct.mean() < bounds[1]
    # 5,000 independent predictions have a standard error of 0.7 points, and 90 % are 3.3 of them
    assert bounds[1] - bounds[0] == pytest.approx(3.29 * np.sqrt(0.24 / 5_000), rel=0.25)


def test_identical_coins_do_not_narrow_the_interval() -> None:
    correct = (np.random.default_rng(1).random(5_000) < 0.6).astype(float)
    times = np.arange(5_000) * STRIDE
    (alone,) = bootstrap_of(times).ratio_intervals([correct], [np.ones(5_000)])
    (thrice,) = bootstrap_of(np.tile(times, 3)).ratio_intervals([np.tile(correct, 3)], [np.ones(15_000)])
    assert thrice == pytest.approx(alone)


def test_a_short_period_has_no_interval() -> None:
    assert bootstrap_of(np.arange(229) * STRIDE).ratio_intervals([np.ones(229)], [np.ones(229)]) == [None]
    assert bootstrap_of(np.arange(230) * STRIDE).ratio_intervals([np.ones(230)], [np.ones(230)]) != [None]
    assert bootstrap_of(np.arange(500) * STRIDE).ratio_intervals([np.zeros(500)], [np.zeros(500)]) == [None]
