"""What an exchange returns about one series: which candles are closed, and which ones are missing for good."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from coinfarm.candle_store.exchange import Exchange, Row
from coinfarm.candles.candles import Candles
from coinfarm.candles.interval import interval_ms
from coinfarm.candles.validation import candle_faults
from image_render.windows import Columns

SETTLED_MS = 2_000
"""How long after its close a candle is closed even if the exchange has no later one: its last trades may still be added."""
MISSING_MS = 10_000
"""How long after its close a candle without a later one is given up: it had no trades."""


class ClosedCandles(NamedTuple):
    """Closed candles, oldest first; those that open before `known_to_ms` and are not among them do not exist.

    `invalid` describes candles that the exchange returned and that cannot be used; they count as missing.
    """

    candles: Candles
    known_to_ms: int = 0
    invalid: tuple[str, ...] = ()


def fetch_rows(exchange: Exchange, market: str, interval: str, since_ms: int, now_ms: int) -> list[Row]:
    """The candles that open from `since_ms` on, oldest first, page by page; the last one may be unfinished at `now_ms`."""
    step_ms = interval_ms(interval)
    cursor, rows = since_ms, list[Row]()
    while cursor + step_ms <= now_ms:
        page = exchange.page(market, interval, cursor)
        rows += page
        cursor = int(page[-1][0]) + step_ms if page else cursor + exchange.page_candles(market) * step_ms
    return rows


def closed_candles(symbol: str, interval: str, rows: Sequence[Row], now_ms: int) -> ClosedCandles:
    """The closed ones of the exchange's candles `rows`, by the exchange's clock.

    A candle is closed when its time is over and the exchange has a later one, or `SETTLED_MS` have passed. One that is missing before a
    later candle, or for `MISSING_MS`, had no trades.
    """
    step_ms = interval_ms(interval)
    by_time = {int(row[0]): row for row in rows}
    newest_ms = max(by_time, default=0)
    closed = [
        row
        for time, row in sorted(by_time.items())
        if time + step_ms <= now_ms and (time < newest_ms or time + step_ms + SETTLED_MS <= now_ms)
    ]
    known_to_ms = max(now_ms - MISSING_MS, min(newest_ms, now_ms)) // step_ms * step_ms
    return valid_candles(symbol, interval, closed)._replace(known_to_ms=known_to_ms)


def valid_candles(symbol: str, interval: str, rows: Sequence[Row]) -> ClosedCandles:
    """The valid ones of closed candles, which are in order of time."""
    table = np.array([[np.nan if cell is None else cell for cell in row[:6]] for row in rows], np.float64).reshape(-1, 6)
    open_time, columns = table[:, 0].astype(np.int64), table[:, 1:].T.copy()
    usable, invalid = np.ones(len(table), np.bool_), list[str]()
    for fault in candle_faults(open_time, Columns(*columns), interval):
        usable[fault.at] = False
        invalid += [f"{symbol}: the {fault.field} of the candle at {open_time[at]} {fault.detail}" for at in fault.at]
    kept = Candles(symbol, interval, open_time[usable], Columns(*columns[:, usable]), np.zeros(int(usable.sum()), np.bool_))
    return ClosedCandles(kept, invalid=tuple(invalid))
