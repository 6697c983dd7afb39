"""Trading fees of exchanges."""

from typing import Literal, NamedTuple

FEES_AS_OF = "2026-11-27"
"""The date of the table below. Exchanges change their fees, and some pairs differ: check those of your own account."""

Exchange = Literal["binance", "binance_us", "bitfinex", "bybit", "coinbase", "kraken", "kucoin", "okx"]


class ExchangeFees(NamedTuple):
    """In basis points of the amount traded."""

    maker_bps: float
    taker_bps: float


EXCHANGE_FEES: dict[Exchange, ExchangeFees] = {
    "binance": ExchangeFees(10.0, 10.0),
    "binance_us": ExchangeFees(10.0, 10.0),
    "bitfinex": ExchangeFees(10.0, 20.0),
    "bybit": ExchangeFees(10.0, 10.0),
    "coinbase": ExchangeFees(60.0, 120.0),
    "kraken": ExchangeFees(25.0, 40.0),
    "kucoin": ExchangeFees(10.0, 10.0),
    "okx": ExchangeFees(8.0, 10.0),
}
"""Spot trading in the lowest tier, for an account without traded volume and without discounts for paying in the exchange's own token."""
