"""Live predictions on a schedule: each event brings the live store in the results root up to date, and publishes what is new."""

import os
import time
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from coinfarm.candle_store.download import store_symbol
from coinfarm.candle_store.exchange import Exchange
from coinfarm.candles.interval import AnyInterval, canonical_interval, interval_ms
from coinfarm.errors import CoinfarmError, Unavailable
from coinfarm.live.catch_up import CaughtUp, catch_up
from coinfarm.live.exchange_rows import SETTLED_MS
from coinfarm.live.live_store import LiveFeed, LiveStore
from coinfarm.serving.service import Service
from coinfarm.serving.settings import EnvironmentSettings
from coinfarm.storage import open_storage
from handler import live_score_metrics
from handler.event_fields import parse_field
from handler.live_publication import publish
from handler.telemetry import count, measure_ms

if TYPE_CHECKING:
    import pyarrow as pa

_MAX_ATTEMPTS = 12
_POLL_S = 1.0
"""A candle that is missing for ten seconds after its close is given up by `catch_up`. The next event catches up what is later than that."""
_TIME_RESERVE_MS = 10_000


class LiveSettings(EnvironmentSettings):
    """Settings of live predictions that are not in the event."""

    live_exchange_url: str | None = None
    """Replaces scheme, host and port of the exchange's URLs."""


class LiveRequest(BaseModel):
    """What the schedule's input names: the series, and where their predictions are published."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    exchange: Annotated[str, Field(max_length=64)]
    interval: AnyInterval
    symbols: Annotated[tuple[str, ...], Field(min_length=1, max_length=1000)]
    topic_arn: Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w.-]+$")] | None = None
    event_bus_arn: Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:events:[a-z0-9-]+:\d{12}:event-bus/[\w./-]+$")] | None = None


def handle(event: dict[str, Any], context: Any, service: Service) -> dict[str, int]:
    """Predict the candles that have closed since the last event, and publish their predictions; the same event again changes nothing.

    Raises `CoinfarmError` if the exchange, the store or a destination fails. What is stored remains, and is not published again.
    """
    request = parse_field(LiveRequest, event, "live")
    root = service.settings.results_root
    if root is None:
        raise CoinfarmError("live predictions are not stored, because RESULTS_ROOT is not set")
    _pause.context = context
    exchange, store = _exchange(request.exchange, LiveSettings.from_environment(os.environ).live_exchange_url), _store(root)
    feed = LiveFeed(exchange.name, canonical_interval(request.interval))
    new = corrected = published = 0
    for caught_up in _catch_ups(exchange, store, feed, request, service):
        _record_metrics(caught_up)
        new, corrected = new + len(caught_up.new), corrected + len(caught_up.corrected)
        published += publish(feed, caught_up.new, request.topic_arn, request.event_bus_arn)
        if any(live_score_metrics.are_due(close_ms + 1) for close_ms in caught_up.new["close_time"].to_pylist()):
            live_score_metrics.record_scores(store, feed, service)
    return {"new": new, "corrected": corrected, "published": published}


def _catch_ups(exchange: Exchange, store: LiveStore, feed: LiveFeed, request: LiveRequest, service: Service) -> Iterator[CaughtUp]:
    """Catch up until the candle that closed last is stored for every symbol; give up after `_MAX_ATTEMPTS`, longer than gaps take."""
    step_ms, symbols = interval_ms(feed.interval), {store_symbol(exchange.market(each)) for each in request.symbols}
    now_ms = exchange.now_ms()
    closed_ms = now_ms // step_ms * step_ms
    newest_ms = closed_ms - step_ms
    _pause(max(0, closed_ms + SETTLED_MS - now_ms) / 1000, "the candles have just closed")
    for attempt in range(_MAX_ATTEMPTS):
        if attempt:
            _pause(_POLL_S, "a candle is late")
        caught_up = catch_up(exchange, store, request.symbols, feed.interval, service)
        yield caught_up
        if _has_candles(caught_up.new, newest_ms, symbols) or _has_candles(store.read(feed, newest_ms), newest_ms, symbols):
            return


def _has_candles(rows: "pa.Table", open_ms: int, symbols: set[str]) -> bool:
    import pyarrow.compute as pc

    return symbols <= set(rows.filter(pc.field("open_time") == open_ms)["symbol"].to_pylist())


class _Pause:
    """Waits, unless the invocation would end before."""

    context: Any = None

    def __call__(self, seconds: float, reason: str) -> None:
        if seconds * 1000 + _TIME_RESERVE_MS > self.context.get_remaining_time_in_millis():
            raise Unavailable(f"{reason}: the next attempt is in {seconds:.0f} s, when this invocation has ended; the next one catches up")
        time.sleep(seconds)


_pause = _Pause()


@cache
def _exchange(name: str, url: str | None) -> Exchange:
    """One client per container, because it loads the exchange's markets."""
    return Exchange(name, url, _pause)


@cache
def _store(root: str) -> LiveStore:
    """One store per container, because it remembers the file of the day."""
    return LiveStore(open_storage(root))


def _record_metrics(caught_up: CaughtUp) -> None:
    """Count the rows, and measure how long after its close the newest candle was predicted."""
    count("LiveCandles", len(caught_up.new))
    count("LiveCorrections", len(caught_up.corrected))
    lag_ms = _lag_ms(caught_up.new)
    if lag_ms is not None:
        measure_ms("LiveLagMs", lag_ms)


def _lag_ms(rows: "pa.Table") -> int | None:
    import pyarrow.compute as pc

    if not len(rows):
        return None
    newest = rows.filter(pc.field("open_time") == pc.max(rows["open_time"]))
    lag: int | None = pc.max(pc.subtract(newest["predicted_at"], newest["close_time"])).as_py()
    return lag
