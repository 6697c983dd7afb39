"""Candles from an exchange's websocket, through ccxt.pro, in a thread of its own."""

import asyncio
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from coinfarm.candle_store.exchange import Exchange
from coinfarm.candle_store.exchange_connection import reason_of, with_server
from coinfarm.live.feed_events import Began, Closed, Connected, Disconnected, Ended, Post

_SILENCE_S = 120
"""A connection without a message for so long is renewed."""
_MAX_BACKOFF_S = 60
_STABLE_S = 60
"""How long a connection must last before it counts as a success: exchanges ban clients that connect again and again."""
_BUGS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What ccxt raises for messages that it does not expect."""


class WebsocketFeed:
    """Reports the candles of all markets: when one begins and, if the exchange says so, when one is closed, with its values.

    Binance's messages say when a candle is closed (`x`). ccxt's unified candles do not, so the messages themselves are read. Connects again
    after every error; before the first message and after an error, candles may have been missed. The exchange's markets are loaded.
    """

    def __init__(self, exchange: Exchange, markets: Mapping[str, str], interval: str, post: Post) -> None:
        self._exchange = exchange
        self._symbols = {market: symbol for symbol, market in markets.items()}
        self._timeframe = exchange.timeframe(interval)
        self._market_data = exchange.market_data()
        self._post = post
        self._is_connected = False
        self._failures = 0
        self._connected_at = 0.0
        self._is_lost = False
        self._newest: dict[str, int] = {}
        self._task: tuple[asyncio.AbstractEventLoop, asyncio.Task[None]] | None = None
        self._thread = threading.Thread(target=self._run, name="websocket", daemon=True)

    @staticmethod
    def is_available(exchange: Exchange) -> bool:
        """Whether ccxt.pro has candles of this exchange."""
        import ccxt.pro

        return exchange.name in ccxt.pro.exchanges and getattr(ccxt.pro, exchange.name)().has["watchOHLCV"] is True

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Close the connection and end the thread."""
        if self._task is not None:
            loop, task = self._task
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(task.cancel)
        self._thread.join(timeout=2)

    def _run(self) -> None:
        try:
            with suppress(asyncio.CancelledError):
                asyncio.run(self._watch())
        finally:
            self._post(Ended("websocket"))

    async def _watch(self) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        self._task = loop, task
        loop.set_exception_handler(lambda *_: None)  # ccxt reports an error to a future of each symbol, and only one is awaited
        client = self._client()
        try:
            while True:
                self._is_lost = False
                reason = await self._reason_of_failure(client)
                if self._is_connected and time.monotonic() - self._connected_at >= _STABLE_S:
                    self._failures = 0
                if self._is_connected or not self._failures:
                    self._post(Disconnected(reason))
                self._is_connected = False
                self._failures += 1
                await client.close()
                await asyncio.sleep(min(0.25 * 2 ** min(self._failures, 10), _MAX_BACKOFF_S))
        finally:
            await client.close()

    async def _reason_of_failure(self, client: Any) -> str:
        """Listen until the connection fails."""
        import ccxt

        reason = ""
        try:
            async with asyncio.TaskGroup() as tasks:
                for group in self._groups(client):
                    tasks.create_task(self._listen(client, group))
        except* TimeoutError:
            reason = f"no message within {_SILENCE_S} s"
        except* (ccxt.BaseError, OSError, *_BUGS) as errors:
            reason = reason_of(errors.exceptions[0])
        return reason

    def _groups(self, client: Any) -> list[list[list[str]]]:
        """The markets and their timeframe, grouped by what ccxt can ask for at once: spot and futures have connections of their own."""
        by_kind: dict[object, list[list[str]]] = {}
        for market in self._symbols:
            found = client.market(market)
            kind = (found["type"], found["linear"]) if client.has["watchOHLCVForSymbols"] is True else market
            by_kind.setdefault(kind, []).append([market, self._timeframe])
        return list(by_kind.values())

    async def _listen(self, client: Any, pairs: list[list[str]]) -> None:
        while True:
            if self._is_lost:
                raise ConnectionError("the connection was lost")
            if client.has["watchOHLCVForSymbols"] is True:
                updates = await asyncio.wait_for(client.watch_ohlcv_for_symbols(pairs), _SILENCE_S)
            else:
                ((market, timeframe),) = pairs
                updates = {market: {timeframe: await asyncio.wait_for(client.watch_ohlcv(market, timeframe), _SILENCE_S)}}
            self._note_message()
            for market, by_timeframe in updates.items():
                for rows in by_timeframe.values():
                    self._note_begun(market, max((int(row[0]) for row in rows), default=0))

    def _note_connection(self, *_: object) -> None:
        self._is_connected = False
        self._connected_at = time.monotonic()

    def _note_message(self) -> None:
        if not self._is_connected:
            self._is_connected = True
            self._post(Connected())

    def _note_begun(self, market: str, open_time: int) -> None:
        if open_time > self._newest.get(market, 0):
            self._newest[market] = open_time
            self._post(Began(self._symbols[market], open_time))

    def _client(self) -> Any:
        import ccxt.pro

        client: Any = getattr(ccxt.pro, self._exchange.name)({"aiohttp_trust_env": True, "newUpdates": True})
        client.set_markets(**self._market_data)
        if self._exchange.url is not None:
            urls = client.urls["api"]
            secure, plain = "https://", "http://"
            websocket = self._exchange.url.replace(secure, "wss://").replace(plain, "ws://")
            client.urls["api"] = with_server(urls, self._exchange.url) | {"ws": with_server(urls["ws"], websocket)}
        client.on_connected = self._note_connection
        self._note_losses(client)
        if hasattr(client, "handle_ohlcv"):
            self._read_messages(client)
        return client

    def _note_losses(self, client: Any) -> None:
        """Also of a connection that is lost while nobody waits for a message: ccxt would connect again at once, however often."""
        forget = client.on_close

        def on_close(connection: Any, code: object) -> None:
            forget(connection, code)
            self._is_lost = True

        client.on_close = on_close

    def _read_messages(self, client: Any) -> None:
        """Report closed candles from the messages that ccxt parses.

        Not for a coin's spot and future together, whose messages have the same id, and not for inverse futures, whose volume in messages is
        in contracts, and in coins by REST.
        """
        markets = [client.market(market) for market in self._symbols]
        ids = [market["id"] for market in markets]
        by_id = {each["id"]: self._symbols[each["symbol"]] for each in markets if ids.count(each["id"]) == 1 and not each["inverse"]}
        parse = client.handle_ohlcv

        def handle(connection: Any, message: Any) -> None:
            parse(connection, message)
            kline = message.get("k") if isinstance(message, dict) else None
            if isinstance(kline, dict) and kline.get("x") is True and kline.get("s") in by_id and kline.get("i") == self._timeframe:
                self._post(Closed(by_id[kline["s"]], [int(kline["t"]), *(float(kline[name]) for name in "ohlcv")]))

        client.handle_ohlcv = handle
