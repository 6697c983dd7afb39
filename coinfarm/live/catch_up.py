"""Brings a live store up to date from an exchange's REST API: candles that closed since, and corrections of the last ones."""

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from coinfarm.candle_store.download import store_symbol
from coinfarm.candle_store.exchange import Exchange
from coinfarm.candles.candles import Candles
from coinfarm.candles.interval import canonical_interval
from coinfarm.live.exchange_rows import closed_candles, fetch_rows
from coinfarm.live.live_prediction import store_ready
from coinfarm.live.live_rows import CANDLE_COLUMNS, live_rows
from coinfarm.live.live_series import MAX_CATCH_UP_CANDLES, LiveSeries
from coinfarm.live.live_store import LiveFeed, LiveStore
from coinfarm.live.stored_tails import stored_series

if TYPE_CHECKING:
    import pyarrow as pa

    from coinfarm.serving.service import Service

logger = logging.getLogger(__name__)


class CaughtUp(NamedTuple):
    """The rows that are new, and those whose candles the exchange has corrected; both as in the store."""

    new: "pa.Table"
    corrected: "pa.Table"


def catch_up(exchange: Exchange, store: LiveStore, symbols: Iterable[str], interval: str, service: "Service") -> CaughtUp:
    """Fetch and predict the candles that closed since the last stored ones, all symbols as one batch; a second call changes nothing.

    A first call begins each series with enough candles for a prediction. Closed is what the exchange's clock says. Missing candles are
    filled as in a backfill; after a gap of more than `MAX_CATCH_UP_CANDLES` the series begins again.

    Raises `CoinfarmError` for an unknown symbol or interval, if the exchange or the store fails, or if there is no model for the interval.
    What is stored remains.
    """
    exchange.check_interval(interval)
    feed = LiveFeed(exchange.name, canonical_interval(interval))
    markets = {store_symbol(market): market for market in map(exchange.market, symbols)}
    now_ms = exchange.now_ms()
    series = stored_series(store, feed, markets, now_ms)
    corrections = [_fetch(exchange, markets[symbol], each, now_ms) for symbol, each in series.items()]
    corrected = store_corrections(store, feed, corrections, now_ms)
    return CaughtUp(store_ready(store, feed, series.values(), service, exchange.now_ms), corrected)


def _fetch(exchange: Exchange, market: str, series: LiveSeries, now_ms: int) -> Candles:
    """Fetch what a series lacks. Returns the stored candles that have changed."""
    if series.begin_again_if_outdated(now_ms):
        logger.warning("%s begins again: more than %d candles are missing", series.symbol, MAX_CATCH_UP_CANDLES)
    since_ms = series.fetch_from_ms(now_ms)
    rows = fetch_rows(exchange, market, series.interval, since_ms, now_ms)
    fetched = series.checked(since_ms, closed_candles(series.symbol, series.interval, rows, now_ms))
    for detail in fetched.invalid:
        logger.warning("%s is left out: %s", exchange.name, detail)
    return series.add_fetched(since_ms, fetched)


def store_corrections(store: LiveStore, feed: LiveFeed, corrections: Iterable[Candles], now_ms: int) -> "pa.Table":
    """Store the candles that an exchange has changed after the fact. Returns the changed rows, which keep their predictions."""
    rows = [
        {
            "symbol": candles.symbol,
            "open_time": int(candles.open_time[at]),
            "close_time": int(candles.open_time[at]) + candles.interval_ms - 1,
            "filled": False,
            "filled_candles": 0,
            "corrected_at": now_ms,
            **{name: float(column[at]) for name, column in zip(CANDLE_COLUMNS, candles.columns, strict=True)},
        }
        for candles in corrections
        for at in range(len(candles))
    ]
    return store.correct(feed, live_rows(rows)) if rows else live_rows([])
