"""Candles from an exchange into the store, a whole UTC day at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby
from typing import Any

import numpy as np

from coinfarm.candle_store.exchange import Exchange, Row
from coinfarm.candle_store.faults import all_candle_faults
from coinfarm.candle_store.store import CandleStore
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import DAY_MS, day_of, day_start_ms
from coinfarm.candles.interval import interval_ms
from coinfarm.errors import CandleError, Conflict, Fault
from image_render.windows import Columns

_SETTLED_MS = 60_000
"""How long after midnight a day is left alone: an exchange may still be counting its last trades."""

_FAULTS_NAMED = 3


@dataclass
class DownloadResult:
    """What a download did; lists of days, oldest first."""

    symbol: str
    interval: str
    stored: list[date] = field(default_factory=list)
    already_there: list[date] = field(default_factory=list)
    without_candles: list[date] = field(default_factory=list)
    unfinished: list[date] = field(default_factory=list)
    """Not over yet: a day is stored when all of it has happened."""
    refused: list[tuple[date, str]] = field(default_factory=list)
    """What the exchange gave for it cannot be, or is not what is stored; and why."""
    candles: int = 0
    first_ms: int | None = None
    """The first candle that the exchange gave, where it gave none for a whole answer's length before."""

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "symbol": self.symbol,
            "interval": self.interval,
            "candles": self.candles,
            "stored": [str(day) for day in self.stored],
            "alreadyThere": [str(day) for day in self.already_there],
            "withoutCandles": [str(day) for day in self.without_candles],
            "unfinished": [str(day) for day in self.unfinished],
            "refused": [{"date": str(day), "detail": detail} for day, detail in self.refused],
        }


def store_symbol(market: str) -> str:
    """What a market is called in the store: `BTC/USDT` is BTCUSDT, and a future `BTC/USDT:USDT` is BTCUSDT-USDT."""
    return market.replace("/", "").replace(":", "-")


def download(
    store: CandleStore,
    exchange: Exchange,
    symbol: str,
    interval: str,
    first: date,
    stop: date | None,
    *,
    replace: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> DownloadResult:
    """Store the days from `first` on and before `stop` (None: up to yesterday) that are not there as a whole.

    A day is written once all of it was fetched, so a download that is killed goes on where it was. A day that is not over, by the
    exchange's clock, is left for later. What the exchange gives for a day and cannot be, or differs from what is stored, leaves the
    other days unharmed. `progress` gets the days done and those to do.

    Raises `CoinfarmError` where the exchange or the store refuses or does not answer; what is stored stays.
    """
    exchange.check_interval(interval)
    market = exchange.market(symbol)
    outcome = DownloadResult(store_symbol(market), interval)
    over = day_of(exchange.now_ms() - _SETTLED_MS)
    stop = over if stop is None else stop
    wanted = [first + timedelta(at) for at in range((stop - first).days)]
    outcome.unfinished = [day for day in wanted if day >= over]
    wanted = wanted[: len(wanted) - len(outcome.unfinished)]
    if not replace:
        there = store.complete_days(outcome.symbol, outcome.interval, wanted)
        outcome.already_there = [day for day in wanted if day in there]
        wanted = [day for day in wanted if day not in there]
    done = 0
    for stretch in _stretches(wanted):
        for day, rows, known_from_ms in _days(exchange, market, interval, stretch, outcome):
            _keep(store, outcome, day, rows, known_from_ms, replace)
            done += 1
            progress(done, len(wanted))
    return outcome


def _stretches(days: list[date]) -> Iterator[list[date]]:
    """Days that follow on each other, together: a page of candles goes over midnight."""
    for _, stretch in groupby(enumerate(days), key=lambda numbered: numbered[1].toordinal() - numbered[0]):
        yield [day for _, day in stretch]


def _days(
    exchange: Exchange, market: str, interval: str, days: list[date], outcome: DownloadResult
) -> Iterator[tuple[date, list[Row], int]]:
    """Each of the days with its candles, as soon as the exchange has told of later times; and from when on the day is known.

    No candles for a whole answer's length at the beginning may mean that nobody traded, or that the exchange does not tell of times so
    long ago: nothing is claimed of them. Later on, it means that nobody traded.
    """
    step_ms = interval_ms(interval)
    page_ms = exchange.page_candles(market) * step_ms
    start_ms, stop_ms = day_start_ms(days[0]), day_start_ms(days[-1]) + DAY_MS
    cursor, rows, first_ms = start_ms, list[Row](), None
    left = list(days)
    while left:
        page = exchange.page(market, interval, cursor)
        if page and first_ms is None:
            first_ms = int(page[0][0])
            if first_ms < start_ms + page_ms:
                first_ms = start_ms
            elif first_ms < stop_ms:
                outcome.first_ms = first_ms
        rows += [row for row in page if row[0] < stop_ms]
        cursor = int(page[-1][0]) + step_ms if page else cursor + page_ms
        while left and day_start_ms(left[0]) + DAY_MS <= cursor:
            day = left.pop(0)
            day_rows = [row for row in rows if row[0] < day_start_ms(day) + DAY_MS]
            rows = rows[len(day_rows) :]
            yield day, day_rows, first_ms or start_ms


def _keep(store: CandleStore, outcome: DownloadResult, day: date, rows: list[Row], known_from_ms: int, replace: bool) -> None:
    if not rows:
        outcome.without_candles.append(day)
        return
    try:
        candles = _checked(outcome.symbol, outcome.interval, rows)
        store.write_day(candles, known_from_ms=known_from_ms, replace=replace)
    except (CandleError, Conflict) as error:
        outcome.refused.append((day, str(error)))
        return
    outcome.stored.append(day)
    outcome.candles += len(candles)


def _checked(symbol: str, interval: str, rows: list[Row]) -> Candles:
    table = np.array([row for at, row in enumerate(rows) if at == 0 or row != rows[at - 1]], np.float64)
    open_time, columns = table[:, 0].astype(np.int64), Columns(*table[:, 1:].T.copy())
    try:
        return Candles.checked(symbol, interval, open_time, columns)
    except CandleError:
        faults = all_candle_faults(open_time, columns, interval)
        more = f", and {len(faults) - _FAULTS_NAMED} more" if len(faults) > _FAULTS_NAMED else ""
        named = "; ".join(map(str, faults[:_FAULTS_NAMED]))
        raise CandleError(Fault("", f"of {symbol} the exchange gives what cannot be: {named}{more}")) from None
