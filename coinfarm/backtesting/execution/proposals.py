"""The orders that a strategy proposes at each prediction, and which of them reach the thresholds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coinfarm.backtesting.execution.orders import Orders
from coinfarm.backtesting.predicted_coin import DECLINE, END, RISE, Indices, Mask, PredictedCoin
from coinfarm.backtesting.rules.column_rule import orders_by_rule
from coinfarm.backtesting.rules.user_rule import Rule
from coinfarm.backtesting.rules.wanted_orders import WantedOrders
from coinfarm.backtesting.strategy import Entry, Exit, Size, Strategy
from coinfarm.backtesting.unused_fields import Usage, check_unused_fields
from coinfarm.candles.arrays import Values

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

    Raises `RuleError` if the rule fails, `CoinfarmError` if it returns a column whose place in the strategy is taken.
    """
    if rule is not None:
        wanted = orders_by_rule(rule, coin, allow_short=strategy.entry.allow_short)
        returned = frozenset(name for name, column in wanted._asdict().items() if column is not None)
        check_unused_fields(strategy, Usage(has_rule=True, returned=returned))
        return propose_wanted(strategy, coin, full_stake, wanted)
    side = np.sign(coin.predicted_pct[:, END]).astype(np.int8)
    if not strategy.entry.allow_short:
        side[side < 0] = 0
    return propose_wanted(strategy, coin, full_stake, WantedOrders(side))


def propose_wanted(strategy: Strategy, coin: PredictedCoin, full_stake: float, wanted: WantedOrders) -> Proposals:
    """The wanted orders, one for each prediction with a side."""
    rows = np.flatnonzero(wanted.side)
    side, predicted = wanted.side[rows], coin.predicted_pct[rows]
    with_trade = np.maximum(np.where(side > 0, predicted[:, RISE], -predicted[:, DECLINE]), 0.0)
    against = np.maximum(np.where(side > 0, -predicted[:, DECLINE], predicted[:, RISE]), _MIN_MOVE_PCT)
    end_change = side * predicted[:, END]
    exits = strategy.exit
    orders = Orders(
        coin.signal[rows],
        side,
        _distance(exits.stop_share, against, exits) if wanted.stop_pct is None else wanted.stop_pct[rows],
        _distance(exits.take_profit_share, with_trade, exits) if wanted.take_profit_pct is None else wanted.take_profit_pct[rows],
        np.full(len(rows), exits.horizon_candles, np.int64),
        _stake(strategy.size, full_stake, end_change) if wanted.stake_share is None else full_stake * wanted.stake_share[rows],
        _limit_price(strategy.entry, coin.candles.columns.close[coin.signal[rows]], side),
        strategy.entry.valid_candles,
    )
    return Proposals(orders, end_change, with_trade / against)


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
