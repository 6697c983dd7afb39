"""Whether volumes count coins: contracts are converted where a column has the coins, and otherwise rejected."""

import re

import numpy as np

from coinfarm.candles.sources import evidence
from coinfarm.candles.sources.cleaning import Note
from coinfarm.candles.sources.columns import MeantColumns
from coinfarm.candles.sources.headers import normalised
from coinfarm.errors import CandleError, ErrorDetail


def check_volumes(columns: MeantColumns) -> None:
    """Raise `CandleError` for a column that is no volume of trades, such as that of mark prices, or another price."""
    if fault := evidence.volume_fault(columns.volume, columns.prices):
        raise CandleError(ErrorDetail("", f"{fault}: use candles of the market's trades, because the model sees the volume"))


def coins_not_contracts(columns: MeantColumns, note: Note) -> MeantColumns:
    """With volumes in coins. Coin-margined contracts are counted in the volume, and their coins in the column of the turnover."""
    arrays = columns.arrays
    if "contracts" in arrays and columns.source.name != "BitMEX":
        note("the volume is that in coins, not the number of contracts")
        return columns
    if "quote_volume" not in arrays:
        return columns
    quote, volume, prices = arrays["quote_volume"], columns.volume, columns.prices
    if evidence.is_value_of(quote, volume, prices) is not False:
        return columns
    if evidence.contract_dollars(volume, quote, prices):
        note("the volume is that in coins, not the number of contracts")
        return columns.with_arrays(volume=quote)
    if evidence.is_value_of(volume, quote, prices):
        raise CandleError(ErrorDetail("", "the volume is the turnover, and the turnover the volume: exchange their columns"))
    traded = (quote > 0) & (volume > 0)
    middle = (prices.high + prices.low)[traded] / 2
    unit = quote[traded] / (volume[traded] * middle)
    if np.ptp(np.quantile(unit, [0.1, 0.9])) < 0.02 * np.median(unit):
        size = float(np.median(unit))
        raise CandleError(
            ErrorDetail(
                "",
                f"the volume counts contracts of {size:.3g} coins each, because the turnover is {size:.3g} times volume and price: "
                "multiply the volume, or use the candles of the spot market",
            )
        )
    return columns


def check_contracts(columns: MeantColumns, symbol: str) -> None:
    """Raise `CandleError` for a coin-margined contract by its symbol (BTCUSD-PERP), unless a column proves that the volume is in coins."""
    arrays = columns.arrays
    quote = arrays.get("quote_volume")
    is_proven = "contracts" in arrays or (quote is not None and evidence.is_value_of(quote, columns.volume, columns.prices))
    names = columns.table.names or ()
    if is_proven or any(normalised(name) in ("baseassetvolume", "basevolume", "homenotional") for name in names):
        return
    if re.fullmatch(r"[A-Z0-9]+USD-(PERP|[0-9]{6})", symbol) and arrays.get("quote_volume") is not columns.volume:
        raise CandleError(
            ErrorDetail(
                "",
                f"{symbol} is a coin-margined contract, whose volume counts contracts of 10 or 100 dollars: give a column "
                "base_asset_volume with the coins, or give --symbol if it is another market",
            )
        )
