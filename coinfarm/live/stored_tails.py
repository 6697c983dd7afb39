"""The end of each series in a live store, from which it continues."""

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from coinfarm.candles.candles import Candles
from coinfarm.candles.day import DAY_MS, day_start_ms
from coinfarm.candles.gaps import without_trades_as_filled
from coinfarm.candles.interval import interval_ms
from coinfarm.live.live_rows import CANDLE_COLUMNS
from coinfarm.live.live_series import CONTEXT_CANDLES, MAX_CATCH_UP_CANDLES, LiveSeries
from coinfarm.live.live_store import LiveFeed, LiveStore
from image_render.windows import Columns

if TYPE_CHECKING:
    import pyarrow as pa


def stored_series(store: LiveStore, feed: LiveFeed, symbols: Iterable[str], now_ms: int) -> dict[str, LiveSeries]:
    """The series of the symbols as they are stored; new ones for symbols without a candle, or without one for a long time.

    Reads the files of the newest days only, as far as they are needed.
    """
    tails = {symbol: Candles.concatenate(symbol, feed.interval, []) for symbol in symbols}
    oldest_ms = now_ms - (MAX_CATCH_UP_CANDLES + CONTEXT_CANDLES) * interval_ms(feed.interval)
    unfinished, later_day = set(tails), None
    for day in reversed(store.days(feed)):
        if day_start_ms(day) + DAY_MS <= oldest_ms:
            break
        if later_day is not None and day != later_day - timedelta(days=1):
            unfinished -= {symbol for symbol in unfinished if len(tails[symbol])}
        if not unfinished:
            break
        rows = store.read(feed, day_start_ms(day), day_start_ms(day) + DAY_MS, unfinished)
        for symbol in sorted(unfinished):
            part = without_gap(stored_candles(rows, symbol, feed.interval))
            tail = tails[symbol]
            if not len(part):
                unfinished -= {symbol} if len(tail) else set()
                continue
            if len(tail) and part.open_time[-1] + tail.interval_ms != tail.open_time[0]:
                unfinished.remove(symbol)
                continue
            tails[symbol] = Candles.concatenate(symbol, feed.interval, [part, tail])[-CONTEXT_CANDLES:]
            if len(tails[symbol]) == CONTEXT_CANDLES or part.open_time[0] != day_start_ms(day):
                unfinished.remove(symbol)
        later_day = day
    return {symbol: LiveSeries(tail) for symbol, tail in tails.items()}


def stored_candles(rows: "pa.Table", symbol: str, interval: str) -> Candles:
    """The candles of one symbol in rows of a live store, which are in order of time."""
    import pyarrow.compute as pc

    own = rows.filter(pc.field("symbol") == symbol)
    columns = Columns(*(own[name].to_numpy() for name in CANDLE_COLUMNS))
    # a filled candle that was corrected exists at the exchange after all
    filled = own["filled"].to_numpy() & own["corrected_at"].is_null().to_numpy()
    return without_trades_as_filled(Candles(symbol, interval, own["open_time"].to_numpy(), columns, filled))


def without_gap(candles: Candles) -> Candles:
    """The candles after the last gap; a stored series has one only where it began again."""
    gaps = np.flatnonzero(np.diff(candles.open_time) != candles.interval_ms)
    return candles[int(gaps[-1]) + 1 :] if len(gaps) else candles
