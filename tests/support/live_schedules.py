"""Live predictions by the handler, from a fake exchange."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from handler import live_schedule
from tests.support.fake_exchange import FakeBinanceUs


def live_event(*symbols: str, **fields: Any) -> dict[str, Any]:
    """The schedule's event, with further fields."""
    return {"live": {"exchange": "binanceus", "interval": "1m", "symbols": list(symbols), **fields}}


@contextmanager
def exchange_of_the_handler() -> Iterator[FakeBinanceUs]:
    """A fake exchange from which the handler in this process gets its candles, without a rate limit."""
    with FakeBinanceUs.running() as exchange, pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIVE_EXCHANGE_URL", exchange.url)
        live_schedule._exchange("binanceus", exchange.url)._ccxt.rateLimit = 0
        yield exchange
