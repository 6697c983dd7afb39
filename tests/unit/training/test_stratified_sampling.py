import numpy as np
import pytest
from numpy.typing import NDArray

from coinfarm.candles.candles import Candles
from coinfarm.candles.synthetic import generate
from coinfarm.training.config import DateRange
from coinfarm.training.dataset import WindowDataset, build_dataset
from coinfarm.training.stratified_sampling import StratifiedSampler, assign_strata, series_shares, trend
from image_render.windows import Columns
from tests.support.synthetic_candles import START_MS

JANUARY = DateRange.model_validate({"start": "2020-01-01", "stop": "2020-01-31"})
ALL = slice(None)


@pytest.fixture(scope="module")
def two_series() -> WindowDataset:
    return build_dataset(
        [generate("DEMO1", "1h", START_MS, 720, seed=1), generate("DEMO2", "30m", START_MS, 1_440, seed=2)], JANUARY, (30,)
    )


def test_the_trend_is_the_change_of_the_close_as_a_share_of_the_range() -> None:
    close = np.concatenate([np.linspace(100.0, 200.0, 200), np.full(30, 200.0)])
    columns = Columns(close, close, close, close, np.ones(230))
    times = START_MS + 3_600_000 * np.arange(230)
    rising, falling = (
        Candles("DEMO", "1h", times, Columns(*(column[order] for column in columns[:4]), columns.volume), np.zeros(230, bool))
        for order in (np.arange(230), np.r_[np.arange(199, -1, -1), np.zeros(30, int)])
    )
    dataset = build_dataset([rising, falling], JANUARY, (30,))
    np.testing.assert_allclose(trend(dataset, ALL), [1.0, -1.0])


def test_each_series_has_its_own_terciles(two_series: WindowDataset) -> None:
    found = assign_strata(two_series)
    values = trend(two_series, ALL)
    for number in (0, 1):
        here = two_series.series_index == number
        within = found[here] - 9 * number
        assert within.max() < 9
        for tercile, value in ((within // 3, values[here]), (within % 3, two_series.range_pct[here])):
            assert np.bincount(tercile) == pytest.approx([here.sum() / 3] * 3, abs=2)
            assert value[tercile == 0].max() < value[tercile == 1].min() <= value[tercile == 1].max() < value[tercile == 2].min()


SIZES = np.array([700, 0, 200, 100, 0, 0, 0, 0, 0])
STRATA = np.random.default_rng(1).permutation(np.repeat(np.arange(9), SIZES)).astype(np.uint16)
DRAWS = 200_000


def shares_of(by: NDArray[np.uint16], intervals: list[str], balance: float, strata: NDArray[np.uint16]) -> list[float]:
    chosen = StratifiedSampler.from_strata(strata, intervals, balance).sample(np.random.default_rng(1), DRAWS)
    return (np.bincount(by[chosen], minlength=len(np.unique(by))) / DRAWS).tolist()


@pytest.mark.parametrize(
    ("balance", "expected"),
    [
        pytest.param(0.0, [0.7, 0, 0.2, 0.1], id="uniform"),
        pytest.param(1.0, [1 / 3, 0, 1 / 3, 1 / 3], id="every non-empty stratum equally often"),
        pytest.param(0.5, [0.7 / 2 + 1 / 6, 0, 0.1 + 1 / 6, 0.05 + 1 / 6], id="half of each"),
    ],
)
def test_balance_is_the_share_drawn_equally_often_from_every_stratum(balance: float, expected: list[float]) -> None:
    assert shares_of(STRATA, ["1m"], balance, STRATA) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
def test_intervals_are_drawn_equally_often_and_so_are_the_series_of_one(balance: float) -> None:
    windows = np.array([10_000, 300, 20, 0])  # two series of minutes, one of hours, and one of days without a window
    series = np.repeat(np.arange(4, dtype=np.uint16), windows)
    strata = (9 * series + np.random.default_rng(2).integers(0, 9, len(series))).astype(np.uint16)
    assert shares_of(series, ["1m", "1m", "1h", "1d"], balance, strata) == pytest.approx([0.25, 0.25, 0.5], abs=0.01)
    assert series_shares(windows, ["1m", "1m", "1h", "1d"]).tolist() == [0.25, 0.25, 0.5, 0]


def test_draws_every_window_of_a_stratum_equally_often() -> None:
    chosen = StratifiedSampler.from_strata(STRATA, ["1m"], 1.0).sample(np.random.default_rng(1), 300_000)
    counts = np.bincount(chosen, minlength=len(STRATA))[STRATA == 3]
    assert len(counts) == 100
    assert counts.min() > 800
    assert counts.max() < 1_200
