"""Download of candles from an exchange into the store, by complete UTC days."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby, product
from typing import Any

import numpy as np

from coinfarm.candle_store.exchange import Exchange, Row
from coinfarm.candle_store.invalid_candles import all_invalid_candles
from coinfarm.candle_store.store import CandleStore
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import DAY_MS, day_of, day_start_ms
from coinfarm.candles.interval import canonical_intervals, interval_ms
from coinfarm.candles.symbol import canonical_symbol
from coinfarm.errors import CandleError, Conflict, ErrorDetail
from image_render.windows import Columns

_SETTLED_MS = 60_000
"""The delay after midnight before a day is downloaded, because an exchange may still be adding its last trades."""

_MAX_ERRORS_LISTED = 3


@dataclass
class DownloadResult:
    """The outcome of a download. Lists of days are sorted, oldest first."""

    symbol: str
    interval: str
    stored: list[date] = field(default_factory=list)
    already_stored: list[date] = field(default_factory=list)
    without_candles: list[date] = field(default_factory=list)
    unfinished: list[date] = field(default_factory=list)
    """Days that are not over yet, which are not stored."""
    rejected: list[tuple[date, str]] = field(default_factory=list)
    """Days for which the exchange returned invalid candles, or other candles than are stored, and the reason."""
    candles: int = 0
    first_ms: int | None = None
    """The first candle at the exchange, if the exchange returned none for at least one page before it."""

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "symbol": self.symbol,
            "interval": self.interval,
            "candles": self.candles,
            "stored": [str(day) for day in self.stored],
            "alreadyThere": [str(day) for day in self.already_stored],
            "withoutCandles": [str(day) for day in self.without_candles],
            "unfinished": [str(day) for day in self.unfinished],
            "refused": [{"date": str(day), "detail": detail} for day, detail in self.rejected],
        }


def store_symbol(market: str) -> str:
    """A market's symbol in the store: BTCUSDT for `BTC/USDT`, and BTCUSDT-USDT for the future `BTC/USDT:USDT`."""
    return canonical_symbol(market)


def download(
    store: CandleStore,
    exchange: Exchange,
    symbols: Sequence[str],
    intervals: Sequence[str],
    first_day: date,
    stop_day: date | None,
    *,
    replace: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[DownloadResult]:
    """Store the days from `first_day` up to but not including `stop_day` (None: today) that are not stored completely.

    Each symbol is fetched at each interval, one after the other; in that order is the result.
    A day is written when all of it has been fetched, so a download that is killed can be resumed. A day that is not over by the
    exchange's clock is left for later. Invalid candles, or candles that differ from the stored ones, do not affect other days.
    `progress` is called with the number of days done, including those stored before, and in total, of all series together.

    Raises `CoinfarmError` for an unknown symbol or interval, before anything is fetched, and if the exchange or the store fails; days that
    are stored remain.
    """
    intervals = canonical_intervals(intervals)
    for interval in intervals:
        exchange.check_interval(interval)
    markets = list(dict.fromkeys(exchange.market(symbol) for symbol in symbols))
    first_unfinished_day = day_of(exchange.now_ms() - _SETTLED_MS)
    stop_day = first_unfinished_day if stop_day is None else stop_day
    days = [first_day + timedelta(at) for at in range((stop_day - first_day).days)]
    finished = [day for day in days if day < first_unfinished_day]
    done, total = 0, len(markets) * len(intervals) * len(finished)
    outcomes = []
    for market, interval in product(markets, intervals):
        outcome = DownloadResult(store_symbol(market), interval, unfinished=days[len(finished) :])
        outcomes.append(outcome)
        stored = set() if replace else store.complete_days(outcome.symbol, interval, finished)
        outcome.already_stored = sorted(stored)
        done += len(stored)
        for period in _consecutive([day for day in finished if day not in stored]):
            for day, rows, known_from_ms in _days(exchange, market, interval, period, outcome):
                _store_day(store, outcome, day, rows, known_from_ms, replace)
                done += 1
                progress(done, total)
    return outcomes


def _consecutive(days: list[date]) -> Iterator[list[date]]:
    """Group days into periods without gaps, because a page of candles can span several days."""
    for _, period in groupby(enumerate(days), key=lambda numbered: numbered[1].toordinal() - numbered[0]):
        yield [day for _, day in period]


def _days(
    exchange: Exchange, market: str, interval: str, days: list[date], outcome: DownloadResult
) -> Iterator[tuple[date, list[Row], int]]:
    """Each day with its candles, as soon as the exchange has returned all of them, and the time from which on the day is known.

    An empty first page may mean that there were no trades, or that the exchange has no data so long ago: that time stays unknown. Later
    empty pages mean that there were no trades.
    """
    step_ms = interval_ms(interval)
    page_ms = exchange.page_candles(market) * step_ms
    start_ms, stop_ms = day_start_ms(days[0]), day_start_ms(days[-1]) + DAY_MS
    cursor, rows, first_ms = start_ms, list[Row](), None
    pending = list(days)
    while pending:
        page = exchange.page(market, interval, cursor)
        if page and first_ms is None:
            first_ms = int(page[0][0])
            if first_ms < start_ms + page_ms:
                first_ms = start_ms
            elif first_ms < stop_ms:
                outcome.first_ms = first_ms
        rows += [row for row in page if row[0] < stop_ms]
        cursor = int(page[-1][0]) + step_ms if page else cursor + page_ms
        while pending and day_start_ms(pending[0]) + DAY_MS <= cursor:
            day = pending.pop(0)
            day_rows = [row for row in rows if row[0] < day_start_ms(day) + DAY_MS]
            rows = rows[len(day_rows) :]
            yield day, day_rows, first_ms or start_ms


def _store_day(store: CandleStore, outcome: DownloadResult, day: date, rows: list[Row], known_from_ms: int, replace: bool) -> None:
    if not rows:
        outcome.without_candles.append(day)
        return
    try:
        candles = _checked(outcome.symbol, outcome.interval, rows)
        store.write_day(candles, known_from_ms=known_from_ms, replace=replace)
    except (CandleError, Conflict) as error:
        outcome.rejected.append((day, str(error)))
        return
    outcome.stored.append(day)
    outcome.candles += len(candles)


def _checked(symbol: str, interval: str, rows: list[Row]) -> Candles:
    table = np.array([row for at, row in enumerate(rows) if at == 0 or row != rows[at - 1]], np.float64)
    open_time, columns = table[:, 0].astype(np.int64), Columns(*table[:, 1:].T.copy())
    try:
        return Candles.checked(symbol, interval, open_time, columns)
    except CandleError:
        errors = all_invalid_candles(open_time, columns, interval)
        more = f", and {len(errors) - _MAX_ERRORS_LISTED} more" if len(errors) > _MAX_ERRORS_LISTED else ""
        listed = "; ".join(map(str, errors[:_MAX_ERRORS_LISTED]))
        raise CandleError(ErrorDetail("", f"the exchange returned invalid candles of {symbol}: {listed}{more}")) from None
