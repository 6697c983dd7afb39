"""The orders that a strategy proposes at each prediction, and which of them reach the thresholds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coinfarm.backtesting.orders import Orders
from coinfarm.backtesting.predicted_coin import DECLINE, END, RISE, Indices, Mask, PredictedCoin
from coinfarm.backtesting.strategy import Entry, Exit, Rule, Size, Strategy
from coinfarm.candles.arrays import Values
from coinfarm.errors import CoinfarmError
from coinfarm.outputs import OUTPUT_COLUMNS

_MIN_MOVE_PCT = 1e-6
"""The lower bound of a predicted move against the trade, so that the ratio stays finite."""


@dataclass(frozen=True, eq=False)
class Proposals:
    """Orders of one coin, `(n,)`, and the predicted figures that thresholds apply to.

    `end_change_pct` is the predicted end change in the order's direction; `rise_to_decline` is the predicted move in that direction divided
    by the one against it.
    """

    orders: Orders
    end_change_pct: Values
    rise_to_decline: Values

    def __len__(self) -> int:
        return len(self.orders)

    def reach_thresholds(self, min_end_change_pct: float | Values, min_rise_to_decline: float | Values) -> Mask:
        """Which orders reach the thresholds: numbers, or `(n,)` with one for each order."""
        return (self.end_change_pct >= min_end_change_pct) & (self.rise_to_decline >= min_rise_to_decline)

    def rows(self, chosen: Mask | Indices | slice) -> "Proposals":
        return Proposals(self.orders.rows(chosen), self.end_change_pct[chosen], self.rise_to_decline[chosen])


def propose(strategy: Strategy, coin: PredictedCoin, full_stake: float, rule: Rule | None) -> Proposals:
    """The orders if every prediction reached the thresholds: in the direction of the predicted end change, or as the rule says.

    Raises `CoinfarmError` if the rule returns an invalid array.
    """
    predicted = coin.predicted_pct
    if rule is None:
        side = np.sign(predicted[:, END]).astype(np.int8)
        if not strategy.entry.allow_short:
            side[side < 0] = 0
    else:
        side = _sides_by_rule(rule, coin, strategy.entry.allow_short)
    rows = np.flatnonzero(side)
    side, predicted = side[rows], predicted[rows]
    with_trade = np.maximum(np.where(side > 0, predicted[:, RISE], -predicted[:, DECLINE]), 0.0)
    against = np.maximum(np.where(side > 0, -predicted[:, DECLINE], predicted[:, RISE]), _MIN_MOVE_PCT)
    end_change = side * predicted[:, END]
    orders = Orders(
        coin.signal[rows],
        side,
        _distance(strategy.exit.stop_share, against, strategy.exit),
        _distance(strategy.exit.take_profit_share, with_trade, strategy.exit),
        np.full(len(rows), strategy.exit.horizon_candles, np.int64),
        _stake(strategy.size, full_stake, end_change),
        _limit_price(strategy.entry, coin.candles.columns.close[coin.signal[rows]], side),
        strategy.entry.valid_candles,
    )
    return Proposals(orders, end_change, with_trade / against)


def rule_columns(coin: PredictedCoin) -> dict[str, NDArray[np.generic]]:
    """The columns that a `Rule` is called with."""
    columns: dict[str, NDArray[np.generic]] = {
        "symbol": np.full(len(coin), coin.symbol),
        "close_time": coin.signal_ms + coin.candles.interval_ms - 1,
        "filled_candles": coin.filled_candles,
    }
    return columns | dict(zip(OUTPUT_COLUMNS, coin.predicted_pct.T, strict=True))


def _sides_by_rule(rule: Rule, coin: PredictedCoin, allow_short: bool) -> NDArray[np.int8]:
    returned = np.asarray(rule(rule_columns(coin)))
    if returned.shape != (len(coin),) or not np.isin(returned, (-1, 0, 1)).all():
        raise CoinfarmError(
            f"entry.rule must return an array of {len(coin)} numbers, 1 (long), 0 (nothing) or -1 (short), "
            f"not {returned.shape} of {returned.dtype}"
        )
    side: NDArray[np.int8] = returned.astype(np.int8)
    if not allow_short and (side < 0).any():
        raise CoinfarmError("entry.rule returns short positions: set allow_short = true under [entry], or return 0 instead of -1")
    return side


def _limit_price(entry: Entry, close: Values, side: NDArray[np.int8]) -> Values | None:
    return close * (1.0 - side * entry.limit_offset_bps / 10_000.0) if entry.order == "limit" else None


def _distance(share: float, move_pct: Values, exits: Exit) -> Values:
    if not share:
        return np.full(len(move_pct), np.inf)
    return np.maximum(share * move_pct, exits.min_distance_pct)


def _stake(size: Size, full_stake: float, end_change_pct: Values) -> Values:
    if size.by == "fixed":
        return np.full(len(end_change_pct), full_stake)
    edge: Values = np.clip(end_change_pct / size.full_edge_pct, 0.0, 1.0)
    return full_stake * edge
