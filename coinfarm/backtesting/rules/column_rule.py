"""Calling a column rule."""

import numpy as np
from numpy.typing import NDArray

from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.backtesting.rules.user_rule import Rule, call_rule
from coinfarm.backtesting.rules.wanted_orders import WantedOrders, checked_orders
from coinfarm.outputs import OUTPUT_COLUMNS


def rule_columns(coin: PredictedCoin) -> dict[str, NDArray[np.generic]]:
    """The columns that a `Rule` is called with, read-only copies: the predictions, and the candles at whose close they are known."""
    columns: dict[str, NDArray[np.generic]] = {
        "symbol": np.full(len(coin), coin.symbol),
        "close_time": coin.signal_ms + coin.candles.interval_ms - 1,
        "filled_candles": coin.filled_candles.copy(),
    }
    columns |= dict(zip(OUTPUT_COLUMNS, coin.predicted_pct.T.copy(), strict=True))
    columns |= {name: column[coin.signal] for name, column in coin.candles.columns._asdict().items()}
    for column in columns.values():
        column.flags.writeable = False
    return columns


def orders_by_rule(rule: Rule, coin: PredictedCoin, *, allow_short: bool) -> WantedOrders:
    """What the rule wants for each prediction of the coin. Raises `RuleError`."""
    return checked_orders(rule, call_rule(rule, rule, rule_columns(coin)), len(coin), allow_short=allow_short)
