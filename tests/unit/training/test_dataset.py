from collections.abc import Collection

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinfarm.candles.candles import Candles
from coinfarm.candles.day import day_start_ms
from coinfarm.candles.synthetic import generate
from coinfarm.errors import CoinfarmError
from coinfarm.targets import targets_pct
from coinfarm.training.config import DateRange
from coinfarm.training.dataset import WindowDataset, build_dataset
from image_render.render import render_frames
from image_render.windows import Columns, window_range_pct, windows
from tests.support.synthetic_candles import day, hours, without

WINDOW, HORIZON = 200, 30
HOURS_PER_DAY = 24


def with_columns(candles: Candles, columns: Columns) -> Candles:
    return Candles(candles.symbol, candles.interval, candles.open_time, columns, candles.filled)


def numbered_hours(days: int, *, missing: Collection[int] = (), symbol: str = "DEMOUSD") -> Candles:
    """The volume of each candle is its number, from 1."""
    candles = hours(days, symbol=symbol)
    return without(with_columns(candles, candles.columns._replace(volume=np.arange(1.0, len(candles) + 1))), missing)


def numbers_used(dataset: WindowDataset, horizon: int) -> set[int]:
    """The numbers of all candles that frames and targets are computed from, without filled ones."""
    used = dataset.starts[:, None] + np.arange(WINDOW + horizon)
    return set(dataset.series[0].columns.volume[used].ravel().astype(int).tolist()) - {0}


@settings(max_examples=30)
@given(
    train_days=st.integers(12, 14),
    gap_days=st.integers(0, 2),
    validation_days=st.integers(12, 14),
    horizon=st.integers(1, 40),
    stride=st.integers(1, 40),
    missing=st.sets(st.integers(0, 30 * HOURS_PER_DAY - 1), max_size=40),
)
def test_no_candle_is_used_in_two_periods(
    train_days: int, gap_days: int, validation_days: int, horizon: int, stride: int, missing: set[int]
) -> None:
    coins = [numbered_hours(30, missing=sorted(missing))]
    train = build_dataset(coins, DateRange(start=day(0), stop=day(train_days)), (horizon,))
    start = train_days + gap_days
    validation = build_dataset(coins, DateRange(start=day(start), stop=day(start + validation_days)), (horizon,), stride)
    assert max(numbers_used(train, horizon)) <= train_days * HOURS_PER_DAY
    assert min(numbers_used(validation, horizon)) > start * HOURS_PER_DAY


@settings(max_examples=10)
@given(train_days=st.integers(10, 14), horizon=st.integers(1, 40))
def test_a_window_and_a_horizon_separate_adjacent_periods(train_days: int, horizon: int) -> None:
    """The purge: from the last candle of the last training window to that of the first validation window."""
    coins = [numbered_hours(30)]
    train = build_dataset(coins, DateRange(start=day(0), stop=day(train_days)), (horizon,))
    validation = build_dataset(coins, DateRange(start=day(train_days), stop=day(train_days + 14)), (horizon,))
    last_train_end = train.series[0].columns.volume[train.starts + WINDOW - 1].max()
    first_validation_end = validation.series[0].columns.volume[validation.starts + WINDOW - 1].min()
    assert first_validation_end - last_train_end == WINDOW + horizon


MONTH = DateRange(start=day(0), stop=day(30))


def test_includes_every_window_with_its_horizon() -> None:
    dataset = build_dataset([numbered_hours(30)], MONTH, (HORIZON,))
    assert dataset.starts.tolist() == list(range(30 * HOURS_PER_DAY - WINDOW - HORIZON + 1))
    assert len(dataset) == len(dataset.starts)
    assert build_dataset([numbered_hours(30)], MONTH, (HORIZON,), stride=31).starts.tolist() == dataset.starts[::31].tolist()


def test_frames_ranges_and_targets_are_of_the_same_windows() -> None:
    coin = numbered_hours(30)
    dataset = build_dataset([coin], MONTH, (HORIZON,))
    chosen = np.array([0, 7, len(dataset) - 1])
    cut = Columns(*(column[chosen] for column in windows(coin.columns)))
    np.testing.assert_array_equal(dataset.frames(chosen), render_frames(cut))
    np.testing.assert_array_equal(dataset.range_pct[chosen], window_range_pct(cut))
    np.testing.assert_array_equal(dataset.targets_pct[chosen], targets_pct(coin.columns, chosen + WINDOW - 1, HORIZON))
    np.testing.assert_allclose(dataset.targets("window_range") * dataset.range_pct[:, None], dataset.targets_pct)


def test_windows_do_not_span_coins() -> None:
    """Several coins together have the windows of each coin alone."""
    coins = [numbered_hours(12, symbol="DEMO1"), numbered_hours(20, symbol="DEMO2"), numbered_hours(15, symbol="DEMO3")]
    dataset = build_dataset(coins, MONTH, (HORIZON,))
    separate = [build_dataset([coin], MONTH, (HORIZON,)) for coin in coins]
    assert dataset.symbols.tolist() == [coin.symbol for coin, alone in zip(coins, separate, strict=True) for _ in range(len(alone))]
    every = np.arange(len(dataset))
    np.testing.assert_array_equal(dataset.targets_pct, np.concatenate([alone.targets_pct for alone in separate]))
    np.testing.assert_array_equal(
        dataset.frames(every[::50]), np.concatenate([alone.frames(np.arange(len(alone))) for alone in separate])[::50]
    )


def test_later_candles_change_targets_but_not_frames() -> None:
    coin = numbered_hours(12)
    end = 250  # the last candle of the compared windows
    changed = Columns(*(np.where(np.arange(len(coin)) < end, column, 1.5 * column) for column in coin.columns))
    known = np.arange(end - WINDOW + 1)
    before = build_dataset([coin], MONTH, (HORIZON,))
    after = build_dataset([with_columns(coin, changed)], MONTH, (HORIZON,))
    np.testing.assert_array_equal(after.frames(known), before.frames(known))
    np.testing.assert_array_equal(after.range_pct[known], before.range_pct[known])
    rise_and_end = np.ix_(known[-HORIZON:], [0, 2])  # the lowest low may be before the changed candles
    assert (after.targets_pct[rise_and_end] > before.targets_pct[rise_and_end]).all()


def test_excludes_windows_with_more_than_half_of_the_candles_filled() -> None:
    missing = [hour for hour in range(250, 400) if hour % 10]
    dataset = build_dataset([numbered_hours(30, missing=missing)], MONTH, (HORIZON,))
    filled = np.array([sum(start <= at < start + WINDOW for at in missing) for start in range(30 * HOURS_PER_DAY - WINDOW - HORIZON + 1)])
    assert dataset.starts.tolist() == np.flatnonzero(filled <= WINDOW // 2).tolist()
    assert (filled > WINDOW // 2).any()


def test_neither_a_window_nor_its_horizon_crosses_a_gap() -> None:
    dataset = build_dataset([numbered_hours(30, missing=[*range(300, 330), *range(400, 431)])], MONTH, (HORIZON,))
    everything = range(30 * HOURS_PER_DAY - WINDOW - HORIZON + 1)
    assert dataset.starts.tolist() == [start for start in everything if not (start <= 400 and start + WINDOW + HORIZON >= 431)]


def test_excludes_windows_without_a_price_range() -> None:
    coin = numbered_hours(30)
    for column in coin.columns[:4]:
        column[100:310] = 100.0
    dataset = build_dataset([coin], MONTH, (HORIZON,))
    everything = np.arange(30 * HOURS_PER_DAY - WINDOW - HORIZON + 1)
    assert sorted(set(everything.tolist()) - set(dataset.starts.tolist())) == list(range(100, 111))


def test_a_period_starts_and_stops_at_midnight_utc() -> None:
    dataset = build_dataset([numbered_hours(30)], DateRange(start=day(3), stop=day(20)), (HORIZON,))
    assert dataset.series[0].columns.volume[[0, -1]].tolist() == [3 * HOURS_PER_DAY + 1, 20 * HOURS_PER_DAY]


@pytest.mark.parametrize(("start", "stop", "count"), [(0, 9, 216), (40, 60, 0)], ids=["too short", "after the last candle"])
def test_names_the_series_if_no_window_is_left(start: int, stop: int, count: int) -> None:
    with pytest.raises(CoinfarmError, match=f"DEMO2 1h has {count}"):
        build_dataset([numbered_hours(30, symbol="DEMO2")], DateRange(start=day(start), stop=day(stop)), (HORIZON,))


def test_a_series_that_lies_in_another_period_has_no_windows() -> None:
    coins = [numbered_hours(12, symbol="DEMO1"), numbered_hours(30, symbol="DEMO2")]
    dataset = build_dataset(coins, DateRange(start=day(15), stop=day(30)), (HORIZON,))
    assert set(dataset.symbols.tolist()) == {"DEMO2"}
    np.testing.assert_array_equal(
        dataset.targets_pct, build_dataset(coins[1:], DateRange(start=day(15), stop=day(30)), (HORIZON,)).targets_pct
    )


def test_all_intervals_have_the_same_weight() -> None:
    coins = [numbered_hours(30, symbol="DEMO1"), generate("DEMO2", "30m", day_start_ms(day(0)), 1_000, seed=2)]
    dataset = build_dataset(coins, MONTH, (HORIZON,))
    weights = dataset.interval_weights()
    assert weights.mean() == pytest.approx(1.0)
    assert [weights[dataset.series_index == number].sum() / len(dataset) for number in (0, 1)] == pytest.approx([0.5, 0.5])


def test_the_longest_of_several_horizons_separates_periods() -> None:
    coin, horizons = numbered_hours(30), (10, HORIZON, 100)
    dataset, longest = build_dataset([coin], MONTH, horizons), build_dataset([coin], MONTH, (100,))
    np.testing.assert_array_equal(dataset.starts, longest.starts)
    for at, horizon in enumerate(horizons):
        own = build_dataset([coin], MONTH, (horizon,)).targets_pct
        np.testing.assert_array_equal(dataset.targets_pct[:, 3 * at : 3 * at + 3], own[: len(dataset)])
    assert max(numbers_used(dataset, max(horizons))) == 30 * HOURS_PER_DAY
