import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray

from coinfarm.candles.candles import Candles
from coinfarm.candles.synthetic import SyntheticMarket, generate
from coinfarm.errors import CandleError

START_MS = 1_577_836_800_000  # 2020-01-01, a Wednesday
MINUTE_MS = 60_000
DAY_MS = 1_440 * MINUTE_MS
CHEAP_COIN = SyntheticMarket(first_price=2, price_decimals=4, volatility_bps=20, volume=2, volume_decimals=2, trade_volume=50)


@pytest.fixture(scope="module")
def minutes() -> Candles:
    return generate("DEMOUSD", "1m", START_MS, 100 * 1_440, seed=1)


def returns(candles: Candles) -> NDArray[np.float64]:
    return np.diff(np.log(candles.columns.close))


def autocorrelation(values: NDArray[np.float64], lag: int) -> float:
    return float(np.corrcoef(values[lag:], values[:-lag])[0, 1])


@pytest.mark.parametrize("interval", ["1m", "5m", "15m", "1h", "4h", "1d"])
def test_candles_of_every_interval_are_valid_and_without_a_gap(interval: str) -> None:
    candles = generate("DEMOUSD", interval, START_MS, 500, seed=1)
    Candles.checked(candles.symbol, candles.interval, candles.open_time, candles.columns)
    assert candles.open_time.tolist() == [START_MS + number * candles.interval_ms for number in range(500)]
    assert not candles.filled.any()


@pytest.mark.parametrize(
    ("interval", "market", "tick", "candles"),
    [
        ("1m", SyntheticMarket(), 0.1, {0: [7999.7, 8000.3, 7993.1, 7993.1, 7.90567], 500: [8048.5, 8052.6, 8048.5, 8052.6, 1.99228]}),
        ("4h", CHEAP_COIN, 0.0001, {0: [1.998, 2.0026, 1.9556, 1.9556, 758.94], 33: [1.3406, 1.3406, 1.2703, 1.2802, 2680.3]}),
    ],
    ids=["1m", "4h"],
)
def test_every_machine_makes_the_same_candles(interval: str, market: SyntheticMarket, tick: float, candles: dict[int, list[float]]) -> None:
    """To a tick: logarithms differ in their last digit."""
    columns = generate("DEMOUSD", interval, START_MS, 1_000, seed=7, market=market).columns
    for at, (*prices, volume) in candles.items():
        assert [float(column[at]) for column in columns[:4]] == pytest.approx(prices, abs=1.1 * tick)
        assert columns.volume[at] == pytest.approx(volume, rel=1e-4)


@pytest.mark.parametrize(("symbol", "seed"), [("DEMOUSD", 8), ("DEMO2USD", 7)], ids=["another seed", "another coin"])
def test_seeds_and_symbols_are_uncorrelated(symbol: str, seed: int) -> None:
    first, other = generate("DEMOUSD", "1m", START_MS, 2_000, seed=7), generate(symbol, "1m", START_MS, 2_000, seed=seed)
    assert abs(np.corrcoef(returns(first), returns(other))[0, 1]) < 0.1


def test_volatility_clusters_though_returns_do_not(minutes: Candles) -> None:
    moves = returns(minutes)
    assert [autocorrelation(moves, lag) for lag in (1, 5, 60)] == pytest.approx([0, 0, 0], abs=0.03)
    assert autocorrelation(np.abs(moves), 1) > autocorrelation(np.abs(moves), 60) > autocorrelation(np.abs(moves), 1_440) > 0.02


def test_returns_have_fat_tails(minutes: Candles) -> None:
    moves = returns(minutes)
    assert ((moves - moves.mean()) ** 4).mean() / moves.var() ** 2 > 10  # a normal distribution has 3


def test_volatility_scales_with_the_interval() -> None:
    for interval, count, minutes_each in (("1m", 500_000, 1), ("1h", 50_000, 60)):
        moves = returns(generate("DEMOUSD", interval, START_MS, count, seed=1))
        assert moves.std() * 10_000 / minutes_each**0.5 == pytest.approx(12, rel=0.35)


def test_volume_correlates_with_range(minutes: Candles) -> None:
    columns = minutes.columns
    moved = columns.high > columns.low
    log_range, log_volume = np.log(columns.high / columns.low)[moved], np.log(columns.volume)[moved]
    assert np.corrcoef(log_range, log_volume)[0, 1] > 0.4


def test_volatility_is_seasonal_by_hour_and_weekday(minutes: Candles) -> None:
    moves, time = np.abs(returns(minutes)), minutes.open_time[1:]
    hour, weekday = time % DAY_MS // (60 * MINUTE_MS), (time // DAY_MS + 3) % 7
    assert moves[(hour >= 13) & (hour < 19)].mean() > 1.1 * moves[(hour >= 1) & (hour < 7)].mean()
    assert moves[weekday < 5].mean() > 1.05 * moves[weekday >= 5].mean()


def test_prices_and_volumes_are_whole_ticks(minutes: Candles) -> None:
    *prices, volume = minutes.columns
    for column, decimals in [(price, 1) for price in prices] + [(volume, 5)]:
        np.testing.assert_array_equal(column, np.round(column, decimals))
        assert column.min() >= 10.0**-decimals


def test_a_price_never_falls_below_one_tick() -> None:
    crashing = SyntheticMarket(first_price=5e-8, price_decimals=8, volatility_bps=200)
    candles = generate("DEMOUSD", "1m", START_MS, 20_000, seed=3, market=crashing)
    assert candles.columns.low.min() == 1e-8


def test_the_minutes_with_the_least_volume_are_missing(minutes: Candles) -> None:
    broken = generate("DEMOUSD", "1m", START_MS, len(minutes), seed=1, missing_share=0.08)
    assert len(broken) == len(minutes) - round(0.08 * len(minutes))
    assert broken.open_time[[0, -1]].tolist() == minutes.open_time[[0, -1]].tolist()
    kept = np.isin(minutes.open_time, broken.open_time)
    np.testing.assert_array_equal(broken.columns, [column[kept] for column in minutes.columns])
    assert minutes.columns.volume[~kept].max() <= broken.columns.volume[1:-1].min()


@pytest.mark.parametrize(
    ("changed", "error", "named"),
    [
        pytest.param({"symbol": "BTCUSD"}, ValueError, "BTCUSD", id="a real coin"),
        pytest.param({"count": 0}, ValueError, "count .* 0", id="none"),
        pytest.param({"missing_share": 1.0}, ValueError, "missing_share", id="all missing"),
        pytest.param({"missing_share": -0.1}, ValueError, "missing_share", id="a negative share"),
        pytest.param({"start_ms": START_MS + 1}, CandleError, "/candles/0/openTime", id="off the grid"),
    ],
)
def test_rejects_invalid_arguments(changed: dict[str, object], error: type[Exception], named: str) -> None:
    arguments = {"symbol": "DEMOUSD", "interval": "1m", "start_ms": START_MS, "count": 10, "seed": 1} | changed
    with pytest.raises(error, match=named):
        generate(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("count", "share", "left"), [(1, 0.99, 1), (2, 0.99, 2), (3, 0.99, 2), (10, 0.99, 2), (10, 0.24, 8), (10, 0.0, 10)]
)
def test_a_share_is_missing_but_never_the_ends(count: int, share: float, left: int) -> None:
    candles = generate("DEMOUSD", "1m", START_MS, count, seed=1, missing_share=share)
    assert len(candles) == left
    assert candles.open_time[-1] - candles.open_time[0] == (count - 1) * MINUTE_MS


def test_two_years_of_minutes_fit_into_bounded_memory() -> None:
    tracemalloc.start()
    try:
        generate("DEMOUSD", "1m", START_MS, 1_051_200, seed=1, missing_share=0.02)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 200e6
