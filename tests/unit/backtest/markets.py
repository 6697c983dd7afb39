"""Small markets and orders, typed by hand or drawn by Hypothesis."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from coinfarm.backtest.simulation import Orders
from coinfarm.backtest.strategy import Market
from coinfarm.candles import Candles, fill_gaps
from image_render.windows import Columns

START_MS = 1_556_668_800_000  # 2019-05-01
MINUTE_MS = 60_000

FREE = Market(maker_fee_bps=0, taker_fee_bps=0, slippage_bps=0, volume_share_pct=100, min_order=0)
"""A market that costs nothing, for tests of when and at which price."""


def market(rows: Sequence[Sequence[float]], *, missing: Collection[int] = (), symbol: str = "DEMOUSD") -> Candles:
    """Minutes out of rows `open, high, low, close` and perhaps a volume (else plenty); the `missing` ones are filled."""
    prices = np.array([row[:4] for row in rows], np.float64)
    volume = np.array([row[4] if len(row) > 4 else 1e6 for row in rows], np.float64)
    kept = np.array([at for at in range(len(rows)) if at not in missing])
    columns = Columns(*prices[kept].T, volume[kept])
    return fill_gaps(Candles.checked(symbol, "1m", START_MS + kept * MINUTE_MS, columns), 10**6)


def flat(price: float = 100.0) -> tuple[float, float, float, float]:
    return (price, price, price, price)


def orders(
    *signals: int, side: int = 1, stop_pct: float = np.inf, take_pct: float = np.inf, hold: int = 3, stake: float = 1_000.0
) -> Orders:
    count = len(signals)
    return Orders(
        np.array(signals, np.int64),
        np.full(count, side, np.int8),
        np.full(count, stop_pct),
        np.full(count, take_pct),
        np.full(count, hold, np.int64),
        np.full(count, stake),
    )


@st.composite
def markets(draw: st.DrawFn, symbol: str) -> Candles:
    """Up to forty minutes, in few different prices, so that stops and take-profits are touched, met and jumped over; some missing."""
    count = draw(st.integers(4, 40))
    tick = st.integers(95, 105)
    rows: list[Any] = []
    for _ in range(count):
        prices = [draw(tick) for _ in range(4)]
        rows.append((prices[0], max(prices), min(prices), prices[1], draw(st.sampled_from([0.0, 0.5, 3.0, 1_000.0]))))
    missing = draw(st.sets(st.integers(1, count - 2), max_size=count // 2))
    return market(rows, missing=missing, symbol=symbol)


@st.composite
def orders_for(draw: st.DrawFn, candles: Candles) -> Orders:
    signals = sorted(draw(st.sets(st.integers(0, len(candles) - 1))))
    distance = st.sampled_from([0.5, 1.0, 2.0, 3.0, np.inf])

    def column(values: "st.SearchStrategy[Any]") -> list[Any]:
        return [draw(values) for _ in signals]

    return Orders(
        np.array(signals, np.int64),
        np.array(column(st.sampled_from([1, -1])), np.int8),
        np.array(column(distance), np.float64),
        np.array(column(distance), np.float64),
        np.array(column(st.integers(1, 8)), np.int64),
        np.array(column(st.sampled_from([50.0, 1_000.0])), np.float64),
    )
