"""Small markets and orders, typed by hand, random, or drawn by Hypothesis."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from coinfarm.backtesting.execution.market import Market
from coinfarm.backtesting.execution.orders import Orders
from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.candles.candles import Candles
from coinfarm.candles.gaps import fill_gaps
from coinfarm.candles.interval import interval_ms
from image_render.windows import Columns

START_MS = 1_556_668_800_000  # 2019-05-01
MINUTE_MS = 60_000

FREE = Market(maker_fee_bps=0, taker_fee_bps=0, slippage_bps=0, volume_share_pct=100, min_order=0, borrow_bps_per_day=0)
"""Trading without costs, for tests of times and prices."""


def free_except(**changed: Any) -> Market:
    """Trading without costs but those given."""
    return Market.model_validate(FREE.model_dump() | changed)


def market(rows: Sequence[Sequence[float]], *, missing: Collection[int] = (), symbol: str = "DEMOUSD", interval: str = "1m") -> Candles:
    """Candles with rows `open, high, low, close` and optionally a volume (by default a large one); the `missing` ones are filled."""
    prices = np.array([row[:4] for row in rows], np.float64)
    volume = np.array([row[4] if len(row) > 4 else 1e6 for row in rows], np.float64)
    present = np.array([at for at in range(len(rows)) if at not in missing])
    columns = Columns(*prices[present].T, volume[present])
    return fill_gaps(Candles.checked(symbol, interval, START_MS + present * interval_ms(interval), columns), 10**6)


def flat(price: float = 100.0) -> tuple[float, float, float, float]:
    return (price, price, price, price)


def orders(
    *signals: int,
    side: int = 1,
    stop_pct: float = np.inf,
    take_pct: float = np.inf,
    hold: int = 3,
    stake: float = 1_000.0,
    limit_price: float | None = None,
    valid_candles: int = 1,
) -> Orders:
    count = len(signals)
    return Orders(
        np.array(signals, np.int64),
        np.full(count, side, np.int8),
        np.full(count, stop_pct),
        np.full(count, take_pct),
        np.full(count, hold, np.int64),
        np.full(count, stake),
        None if limit_price is None else np.full(count, limit_price),
        valid_candles,
    )


@st.composite
def markets(draw: st.DrawFn, symbol: str) -> Candles:
    """Up to thirty minutes with few different prices, so that stops and take-profits are touched, met and jumped over; some are missing."""
    count = draw(st.integers(4, 30))
    ticks: NDArray[np.int64] = draw(arrays(np.int64, (count, 4), elements=st.integers(95, 105)))
    volume = draw(arrays(np.float64, count, elements=st.sampled_from([0.0, 0.5, 3.0, 1_000.0])))
    rows = [(row[0], row.max(), row.min(), row[1], each) for row, each in zip(ticks, volume, strict=True)]
    missing = draw(arrays(np.bool_, count))
    missing[[0, -1]] = False
    return market(rows, missing=np.flatnonzero(missing).tolist(), symbol=symbol)


@st.composite
def orders_for(draw: st.DrawFn, candles: Candles) -> Orders:
    placed: NDArray[np.bool_] = draw(arrays(np.bool_, len(candles)))
    signal = np.flatnonzero(placed)
    distance = st.sampled_from([0.5, 1.0, 2.0, 3.0, np.inf])
    at_market = Orders(
        signal,
        draw(arrays(np.int8, len(signal), elements=st.sampled_from([1, -1]))),
        draw(arrays(np.float64, len(signal), elements=distance)),
        draw(arrays(np.float64, len(signal), elements=distance)),
        draw(arrays(np.int64, len(signal), elements=st.integers(1, 8))),
        draw(arrays(np.float64, len(signal), elements=st.sampled_from([50.0, 1_000.0]))),
    )
    if draw(st.booleans()):
        return at_market
    offset = draw(st.sampled_from([0.0, 0.01]))
    limit_price = candles.columns.close[signal] * (1.0 - at_market.side * offset)
    return replace(at_market, limit_price=limit_price, valid_candles=draw(st.integers(1, 4)))


@st.composite
def market_rules(draw: st.DrawFn) -> Market:
    """Rules without costs, or with all of them."""
    if draw(st.booleans()):
        return FREE
    return Market(
        maker_fee_bps=5,
        volatility_slippage=draw(st.sampled_from([0.0, 0.1])),
        size_slippage_bps=draw(st.sampled_from([0.0, 20.0])),
        trailing_candles=draw(st.sampled_from([1, 2, 5, 60])),
        volume_share_pct=draw(st.sampled_from([1.0, 50.0])),
        min_order=draw(st.sampled_from([0.0, 100.0])),
        maintenance_margin_pct=draw(st.sampled_from([10.0, 97.0])),
    )


def random_integers(seed: int, count: int, below: int) -> list[int]:
    """A linear congruential generator, the same with every release of NumPy."""
    numbers = []
    for _ in range(count):
        seed = (6_364_136_223_846_793_005 * seed + 1_442_695_040_888_963_407) % 2**64
        numbers.append((seed >> 33) % below)
    return numbers


def random_walk(symbol: str, count: int, seed: int, interval: str = "1m") -> Candles:
    """`count` candles of a random walk in ticks of a cent, some of them missing: exactly the same on every machine."""
    steps = random_integers(seed, 4 * count, 61)
    rows, price = [], 10_000
    for at in range(count):
        open_tick = price
        close_tick = price + steps[4 * at] - 30
        high = max(open_tick, close_tick) + steps[4 * at + 1] // 3
        low = min(open_tick, close_tick) - steps[4 * at + 2] // 3
        price = close_tick
        rows.append((open_tick / 100, high / 100, low / 100, close_tick / 100, float(1 + steps[4 * at + 3])))
    missing = [at for at, chance in enumerate(random_integers(seed + 1, count, 20)) if chance == 0 and 0 < at < count - 1]
    return market(rows, missing=missing, symbol=symbol, interval=interval)


def noisy_predictions(candles: Candles, first: int, seed: int, horizon: int = 5) -> PredictedCoin:
    """Predictions at every candle from `first` on: the actual change plus noise."""
    signal = np.arange(first, len(candles) - horizon)
    close = candles.columns.close
    change = 100.0 * (close[signal + horizon] / close[signal] - 1.0)
    noise = np.array(random_integers(seed, len(signal), 201)) / 100.0 - 1.0
    end = 0.2 * change + 0.3 * noise
    values = np.column_stack([np.abs(end) + 0.3, -np.abs(end) / 2 - 0.2, end])
    return PredictedCoin(candles, signal, values, np.zeros(len(signal), np.int64))
