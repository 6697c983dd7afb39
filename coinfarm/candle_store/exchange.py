"""Candles from an exchange, through ccxt."""

import re
import time
from collections.abc import Callable
from contextlib import suppress
from difflib import get_close_matches
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from itertools import count
from typing import Any, TypeVar
from urllib.parse import urlsplit

from coinfarm.candle_store.exchange_connection import connection_failure, quick_adapter, reason_of, with_server
from coinfarm.candles.interval import canonical_interval
from coinfarm.candles.symbol import canonical_symbol
from coinfarm.candles.validation import FIRST_MICROSECONDS, MIN_MILLISECONDS
from coinfarm.errors import CoinfarmError, InvalidInput, Unavailable
from coinfarm.extras import require

MAX_ATTEMPTS = 8
"""Attempts per request: two minutes in all if the exchange sends no `Retry-After`."""
_MAX_BACKOFF_S = 60
_MAX_RETRY_AFTER_S = 900
"""The longest `Retry-After` to wait for: a longer one means that the exchange has banned us."""
_TIMEOUT_MS = 30_000
_DEFAULT_PAGE_CANDLES = 100
"""Candles per page, for an exchange that does not document it."""
_PERMANENT_STATUS = re.compile(r" (4(?!08|18|29)\d\d) ")
"""A status in ccxt's message for which a retry is useless, although ccxt raises it as a transient error."""
_BUGS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What ccxt raises for responses that it does not expect."""

Row = list[float]
"""Open time in milliseconds UTC, open, high, low, close, volume."""
_Result = TypeVar("_Result")


def _sleep(seconds: float, _reason: str) -> None:
    time.sleep(seconds)


class Exchange:
    """An exchange of ccxt, with its rate limit and with retries.

    ccxt's own retries wait a fixed time and ignore `Retry-After`, for which Binance bans clients. These wait as long as the exchange
    demands, or else with exponential backoff. If the first connection fails, there is no retry.

    Raises `CoinfarmError` for an exchange that ccxt does not know or that has no candles. `url` replaces scheme, host and port of the
    exchange's URLs. `wait` is called with the seconds to wait before the next attempt, and the reason. With `is_patient` the attempts end
    only when a retry is useless, as after HTTP 451.
    """

    def __init__(self, name: str, url: str | None = None, wait: Callable[[float, str], None] = _sleep, *, is_patient: bool = False) -> None:
        require("access to an exchange", "ccxt")
        import ccxt

        if name not in ccxt.exchanges:
            raise CoinfarmError(f"ccxt has no exchange {name!r}{_suggestion(name, ccxt.exchanges)}")
        self.name = name
        self.url = url
        self._wait = wait
        self._is_patient = is_patient
        self._has_responded = False
        self._date_offset_s = 0.0
        self._status = 0
        self._ccxt: Any = getattr(ccxt, name)({"timeout": _TIMEOUT_MS, "requests_trust_env": True, "enableLastJsonResponse": True})
        for scheme in ("https://", "http://"):
            self._ccxt.session.mount(scheme, quick_adapter())
        self._ccxt.session.hooks["response"].append(self._note_response)
        if self._ccxt.has["fetchOHLCV"] is not True:
            raise CoinfarmError(f"{name} has no candles to download: ccxt does not support candles of this exchange")
        if url is not None:
            if not urlsplit(url).netloc:
                raise CoinfarmError(f"{url!r} is not the URL of a server: use one like http://127.0.0.1:8080")
            self._ccxt.urls["api"] = with_server(self._ccxt.urls["api"], url)

    def market(self, symbol: str) -> str:
        """The market's name in ccxt's form, `BTC/USDT`, for any spelling of it.

        Raises `CoinfarmError` for a market that the exchange does not have.
        """
        markets = self._call(self._loaded_markets)
        try:
            return str(self._ccxt.market(symbol)["symbol"])
        except self._errors.ExchangeError:
            for name in markets:
                if _is_same_market(name, symbol):
                    return str(name)
            raise CoinfarmError(f"{self.name} has no market {symbol!r}{_suggestion(symbol.upper(), list(markets))}") from None

    def markets(self) -> list[str]:
        """The names of the active markets, in ccxt's form, sorted."""
        markets = self._call(self._loaded_markets)
        return sorted(name for name, market in markets.items() if market.get("active") is not False)

    def check_interval(self, interval: str) -> None:
        """Raise `CoinfarmError` for an interval that the exchange or Coinfarm does not support."""
        if _canonical(interval) not in self._timeframes():
            raise CoinfarmError(f"{self.name} has no candles of {interval!r}: use {', '.join(self._timeframes())}")

    def page_candles(self, market: str) -> int:
        """The maximum number of candles of one page."""
        return self._limit(market) or _DEFAULT_PAGE_CANDLES

    def page(self, market: str, interval: str, since_ms: int) -> list[Row]:
        """One page of candles from `since_ms` on, oldest first. An empty page does not mean that there are no later candles."""
        return self._call(lambda: self._rows(market, interval, since_ms))

    def now_ms(self) -> int:
        """The time of the exchange's clock; of the `Date` of its last response, or of the local clock, if the exchange does not tell it."""
        if self._ccxt.has.get("fetchTime") is True:
            return self._call(self._time_ms)
        return int((time.time() + self._date_offset_s) * 1000)

    def market_data(self) -> dict[str, Any]:
        """All markets and currencies, as ccxt's `set_markets` takes them, so that a second client need not load them."""
        self._call(self._loaded_markets)
        return {"markets": self._ccxt.markets, "currencies": self._ccxt.currencies}

    def timeframe(self, interval: str) -> str:
        """The exchange's name of an interval that it supports."""
        return self._timeframes()[canonical_interval(interval)]

    @property
    def _errors(self) -> Any:
        import ccxt

        return ccxt

    def _timeframes(self) -> dict[str, str]:
        """The exchange's name of each interval that Coinfarm supports."""
        names = {_canonical(name): name for name in self._ccxt.timeframes or {}}
        return {interval: name for interval, name in names.items() if interval is not None}

    def _limit(self, market: str) -> int | None:
        kind = self._ccxt.market(market)["type"]
        limit = (((self._ccxt.features or {}).get(kind) or {}).get("fetchOHLCV") or {}).get("limit")
        return int(limit) if limit else None

    def _loaded_markets(self) -> dict[str, Any]:
        markets: dict[str, Any] = self._ccxt.load_markets()
        if not markets:  # ccxt finds none in what is not JSON, such as a page that announces maintenance
            raise self._errors.BadResponse("a response without markets")
        return markets

    def _time_ms(self) -> int:
        time_ms = self._ccxt.fetch_time()
        if not isinstance(time_ms, int) or not MIN_MILLISECONDS <= time_ms < FIRST_MICROSECONDS:
            raise self._errors.BadResponse(f"a response without a time in milliseconds: {time_ms}")
        return time_ms

    def _rows(self, market: str, interval: str, since_ms: int) -> list[Row]:
        rows = self._ccxt.fetch_ohlcv(market, self.timeframe(interval), since_ms, self._limit(market))
        # ccxt treats a body that is not JSON, such as a truncated one, as a list without candles, which would leave a gap
        if self._ccxt.last_json_response is None or not all(isinstance(row[0], int) and len(row) == 6 for row in rows):
            raise self._errors.BadResponse("a response that is not a list of candles")
        return [row for row in rows if row[0] >= since_ms]

    def _call(self, request: Callable[[], _Result]) -> _Result:
        for attempt in count(1):
            try:
                result = self._parsed(request)
                self._has_responded = True
                return result
            except self._errors.BaseError as error:
                if self._status == HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS:
                    raise CoinfarmError(
                        f"{self.name} does not serve your location (HTTP 451): choose another exchange with --exchange"
                    ) from error
                if not isinstance(error, self._errors.OperationFailed):
                    raise CoinfarmError(f"{self.name} rejected the request: {reason_of(error)}") from error
                failure = connection_failure(error)
                if failure is None:
                    self._has_responded = True
                elif not self._has_responded:
                    raise Unavailable(
                        f"{self.name} cannot be reached: {failure}. Check this machine's network, proxy (HTTPS_PROXY) and firewall, "
                        "and the options --exchange and --exchange-url"
                    ) from error
                wait_s = self._wait_s(error, attempt)
                if wait_s is None or (attempt == MAX_ATTEMPTS and not self._is_patient):
                    raise Unavailable(f"{self.name} does not respond: {failure or reason_of(error)}") from error
                self._wait(wait_s, failure or reason_of(error))
        raise AssertionError("an attempt returns or raises")

    def _parsed(self, request: Callable[[], _Result]) -> _Result:
        try:
            return request()
        except _BUGS as error:
            raise self._errors.BadResponse(f"an invalid response: {error}") from error

    def _note_response(self, response: Any, **_: Any) -> None:
        """Note the status, which ccxt's error may not contain, and the date: whole seconds, so no candle counts as closed too early."""
        self._status = response.status_code
        with suppress(KeyError, TypeError, ValueError):
            self._date_offset_s = parsedate_to_datetime(response.headers["Date"]).timestamp() - time.time()

    def _wait_s(self, error: Exception, attempt: int) -> float | None:
        """The time to wait before the next attempt; None if a retry is useless."""
        if _PERMANENT_STATUS.search(str(error)):
            return None
        backoff_s = min(2.0 ** min(attempt - 1, MAX_ATTEMPTS), _MAX_BACKOFF_S)
        if not isinstance(error, (self._errors.DDoSProtection, self._errors.RateLimitExceeded)):
            return backoff_s
        retry_after = (self._ccxt.last_response_headers or {}).get("Retry-After", "")
        if not retry_after.isdecimal():
            return backoff_s
        if int(retry_after) > _MAX_RETRY_AFTER_S and not self._is_patient:
            raise Unavailable(
                f"{self.name} has banned this address for {int(retry_after) // 60} minutes after too many requests: "
                "run the same command again after that; stored days are not downloaded again"
            ) from error
        return max(float(retry_after), backoff_s)


def _suggestion(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _is_same_market(name: str, symbol: str) -> bool:
    try:
        return canonical_symbol(name) == canonical_symbol(symbol)
    except InvalidInput:  # such as the name of an option with its expiry
        return False


def _canonical(interval: str) -> str | None:
    """None for an interval that Coinfarm does not support."""
    try:
        return canonical_interval(interval)
    except InvalidInput:
        return None
