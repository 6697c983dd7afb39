"""An exchange's candles, through ccxt."""

import re
import time
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from coinfarm.candles.interval import interval_ms
from coinfarm.errors import CoinfarmError, RequestError, Unavailable
from coinfarm.extras import require

TRIES = 8
"""Of one request: two minutes in all, where the exchange does not say how long to wait."""
_MAX_BACKOFF_S = 60
_MAX_WAIT_S = 900
"""What the exchange may ask us to wait: beyond it, it has shut us out, and a person should know."""
_TIMEOUT_MS = 30_000
_CAUTIOUS_PAGE = 100
"""Candles that a page is taken to span, where an exchange does not say how many it answers with."""
_NEVER = re.compile(r" (4(?!08|18|29)\d\d) ")
"""A status in ccxt's message that another try does not change; ccxt counts them among the passing ones."""
_RESTRICTED = " 451 "
_CONNECT_S = 5
"""How long one address of the exchange may take to accept a connection."""
_SHOWN = 300

Row = list[float]
"""Open time in milliseconds UTC, open, high, low, close, volume."""
_Answer = TypeVar("_Answer")


def _sleep(seconds: float, _reason: str) -> None:
    time.sleep(seconds)


class Exchange:
    """One exchange of ccxt, which keeps the exchange's rate limit, and asks again when an answer fails to come.

    ccxt's own retries are fixed waits that pass over `Retry-After`, for which Binance bans; so they are done here instead: as long as the
    exchange asks for, else twice as long each time.

    Patience begins with the first answer: where not even a connection comes about, nobody waits for it.

    Raises `CoinfarmError` for an exchange that ccxt does not know or that has no candles. `url` takes the place of scheme, host and port
    of the exchange's own addresses. `wait` is told how many seconds to wait before the next try, and why.
    """

    def __init__(self, name: str, url: str | None = None, wait: Callable[[float, str], None] = _sleep) -> None:
        require("a download", "ccxt")
        import ccxt

        if name not in ccxt.exchanges:
            raise CoinfarmError(f"ccxt knows no exchange {name!r}{_instead(name, ccxt.exchanges)}")
        self.name = name
        self._wait = wait
        self._has_answered = False
        self._ccxt: Any = getattr(ccxt, name)({"timeout": _TIMEOUT_MS, "requests_trust_env": True, "enableLastJsonResponse": True})
        for scheme in ("https://", "http://"):
            self._ccxt.session.mount(scheme, _quick_to_connect())
        if self._ccxt.has["fetchOHLCV"] is not True:
            raise CoinfarmError(f"{name} has no candles to download: ccxt cannot fetch them there")
        if url is not None:
            if not urlsplit(url).netloc:
                raise CoinfarmError(f"{url!r} is no address of a server: write it like http://127.0.0.1:8080")
            self._ccxt.urls["api"] = _moved(self._ccxt.urls["api"], url)

    def market(self, symbol: str) -> str:
        """The market's name as ccxt spells it (`BTC/USDT`); raises `CoinfarmError` for one that the exchange has not."""
        markets = self._asked(lambda: self._ccxt.load_markets())
        try:
            return str(self._ccxt.market(symbol)["symbol"])
        except self._errors.ExchangeError:
            raise CoinfarmError(f"{self.name} has no market {symbol!r}{_instead(symbol.upper(), list(markets))}") from None

    def check_interval(self, interval: str) -> None:
        """Raises `CoinfarmError` for an interval that the exchange, or Coinfarm, has not."""
        offered = [name for name in self._ccxt.timeframes or {} if _known(name)]
        if interval not in offered:
            raise CoinfarmError(f"{self.name} has no candles of {interval!r}: take {', '.join(offered)}")

    def page_candles(self, market: str) -> int:
        """The most candles of one answer."""
        return self._limit(market) or _CAUTIOUS_PAGE

    def page(self, market: str, interval: str, since_ms: int) -> list[Row]:
        """Candles from `since_ms` on, oldest first: as many as the exchange gives at once. Empty does not mean that no later ones exist."""
        return self._asked(lambda: self._rows(market, interval, since_ms))

    def now_ms(self) -> int:
        """The exchange's clock, or ours where it shows none."""
        if self._ccxt.has.get("fetchTime") is not True:
            return int(time.time() * 1000)
        return int(self._asked(lambda: self._ccxt.fetch_time()))

    @property
    def _errors(self) -> Any:
        import ccxt

        return ccxt

    def _limit(self, market: str) -> int | None:
        kind = self._ccxt.market(market)["type"]
        limit = (((self._ccxt.features or {}).get(kind) or {}).get("fetchOHLCV") or {}).get("limit")
        return int(limit) if limit else None

    def _rows(self, market: str, interval: str, since_ms: int) -> list[Row]:
        try:
            rows = self._ccxt.fetch_ohlcv(market, interval, since_ms, self._limit(market))
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise self._errors.BadResponse(f"an answer that is not understood: {error}") from error
        # ccxt takes a body that is no JSON, such as one cut short, for a list without candles: that would be a hole in the history
        if self._ccxt.last_json_response is None or not all(isinstance(row[0], int) and len(row) == 6 for row in rows):
            raise self._errors.BadResponse("an answer that is no list of candles")
        return [row for row in rows if row[0] >= since_ms]

    def _asked(self, ask: Callable[[], _Answer]) -> _Answer:
        for tried in range(1, TRIES + 1):
            try:
                answer = ask()
                self._has_answered = True
                return answer
            except self._errors.OperationFailed as error:
                if _RESTRICTED in str(error):
                    raise CoinfarmError(
                        f"{self.name} does not serve the place that you ask from (HTTP 451): choose another exchange with --exchange"
                    ) from error
                failure = _connection_failure(error)
                if failure is None:
                    self._has_answered = True
                elif not self._has_answered:
                    raise Unavailable(
                        f"{self.name} cannot be reached: {failure}. Check this machine's network, proxy (HTTPS_PROXY) and firewall, "
                        "and the options --exchange and --exchange-url"
                    ) from error
                wait_s = self._wait_s(error, tried)
                if tried == TRIES or wait_s is None:
                    raise Unavailable(f"{self.name} does not answer: {failure or _reason(error)}") from error
                self._wait(wait_s, failure or _reason(error))
            except self._errors.BaseError as error:
                raise CoinfarmError(f"{self.name} refuses: {_reason(error)}") from error
        raise AssertionError("the last try returns or raises")

    def _wait_s(self, error: Exception, tried: int) -> float | None:
        """None where waiting does not help."""
        if _NEVER.search(str(error)):
            return None
        backoff_s = min(2.0 ** (tried - 1), _MAX_BACKOFF_S)
        if not isinstance(error, (self._errors.DDoSProtection, self._errors.RateLimitExceeded)):
            return backoff_s
        asked = (self._ccxt.last_response_headers or {}).get("Retry-After", "")
        if not asked.isdecimal():
            return backoff_s
        if int(asked) > _MAX_WAIT_S:
            raise Unavailable(
                f"{self.name} shuts us out for {int(asked) // 60} minutes, after too many requests from here: "
                "run the same command again then; what is stored stays"
            ) from error
        return max(float(asked), backoff_s)


def _reason(error: Exception) -> str:
    """What went wrong on one line, with what lies under it: ccxt often names only the address."""
    causes = [str(error), *([str(error.__cause__)] if error.__cause__ else [])]
    return " ".join(": ".join(causes).split())[:_SHOWN]


def _quick_to_connect() -> Any:
    """An adapter that waits for an answer as long as it is told, and for a connection a few seconds."""
    from requests.adapters import HTTPAdapter

    class Adapter(HTTPAdapter):
        def send(self, request: Any, stream: bool = False, timeout: Any = None, *args: Any, **rest: Any) -> Any:
            return super().send(request, stream, (_CONNECT_S, timeout), *args, **rest)

    return Adapter()


def _connection_failure(error: Exception) -> str | None:
    """Why no connection came about, and with which host; None where one did."""
    from requests import exceptions
    from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NameResolutionError, NewConnectionError

    cause = error.__cause__
    if not isinstance(cause, exceptions.ConnectionError) or not cause.args or not isinstance(cause.args[0], MaxRetryError):
        return None
    reason = cause.args[0].reason
    host = urlsplit(str(cause.request.url)).netloc if cause.request is not None else "the host"
    if isinstance(cause, exceptions.ProxyError):
        return f"the proxy before {host} does not work ({reason})"
    if isinstance(reason, NameResolutionError):
        return f"the name {host} cannot be resolved"
    if isinstance(reason, NewConnectionError):
        return f"{host} refuses the connection"
    if isinstance(reason, ConnectTimeoutError):
        return f"{host} does not accept a connection within {_CONNECT_S} s"
    return None


def _instead(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _known(interval: str) -> bool:
    try:
        return bool(interval_ms(interval))
    except RequestError:
        return False


def _moved(address: Any, url: str) -> Any:
    """The same paths at another scheme, host and port; addresses lie in dictionaries of dictionaries."""
    if isinstance(address, dict):
        return {name: _moved(each, url) for name, each in address.items()}
    target = urlsplit(url)
    return urlunsplit(urlsplit(address)._replace(scheme=target.scheme, netloc=target.netloc)) if isinstance(address, str) else address
