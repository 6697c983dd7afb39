"""Hypothesis strategies for candles, including cases that are hard to render."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from coinfarm.candles.validation import MAX_VALUE, MIN_PRICE
from image_render.spec import FrameSpec
from image_render.windows import Columns

SMALL_SPECS = [FrameSpec(1, 2), FrameSpec(2, 3), FrameSpec(3, 5), FrameSpec(5, 8), FrameSpec(4, 150)]


@st.composite
def series_in_ticks(draw: st.DrawFn, count: int, price_rows: int) -> Columns:
    """Candles whose prices are whole ticks above a first price, `(count,)`.

    They include flat windows, ranges of one tick, prices exactly between two rows, windows without volume, and prices around 1e-8 and
    1e6, with ticks that float64 represents exactly and others.
    """
    tick = draw(st.sampled_from([1e-8, 0.1, 1 / 3, 1.0, 2.0**-20]))
    first = draw(st.sampled_from([1, 7, 9_999, 1_000_000]))
    span = draw(st.sampled_from([0, 1, 2, 2 * (price_rows - 1), 6 * (price_rows - 1), 1_000]))
    max_volume = draw(st.sampled_from([0, 1, 2 * price_rows, 10**6]))
    traded: NDArray[np.int64] = draw(arrays(np.int64, (count, 4), elements=st.integers(0, span)))
    volume: NDArray[np.int64] = draw(arrays(np.int64, count, elements=st.integers(0, max_volume)))
    prices = (first + traded) * tick
    return Columns(
        open=prices[:, 0],
        high=prices.max(axis=1),
        low=prices.min(axis=1),
        close=prices[:, 1],
        volume=volume * draw(st.sampled_from([1e-8, 0.1, 1.0])),
    )


@st.composite
def series_of_floats(draw: st.DrawFn, count: int) -> Columns:
    """Candles with any valid prices and volumes, `(count,)`."""
    price = st.floats(MIN_PRICE, MAX_VALUE)
    traded: NDArray[np.float64] = draw(arrays(np.float64, (count, 4), elements=price, fill=st.nothing()))
    volume: NDArray[np.float64] = draw(arrays(np.float64, count, elements=st.floats(0, MAX_VALUE), fill=st.nothing()))
    return Columns(open=traded[:, 0], high=traded.max(axis=1), low=traded.min(axis=1), close=traded[:, 1], volume=volume)
