"""What a strategy would do at each prediction: the orders it proposes, and which of them reach the thresholds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coinfarm.backtest.coin import DECLINE, END, RISE, Coin, Indices, Mask
from coinfarm.backtest.simulation import Orders
from coinfarm.backtest.strategy import Exit, Rule, Size, Strategy
from coinfarm.candles.arrays import Values
from coinfarm.errors import CoinfarmError
from coinfarm.outputs import OUTPUT_COLUMNS

_MIN_MOVE_PCT = 1e-6
"""A predicted move against the trade is at least this: that the ratio stays finite, also where none at all is foretold."""


@dataclass(frozen=True, eq=False)
class Proposals:
    """Orders of one coin, `(n,)`, and how strongly each is meant.

    `end_change_pct` is the predicted end change in the order's direction, `rise_to_decline` how many times larger the predicted move in
    that direction is than the one against it.
    """

    orders: Orders
    end_change_pct: Values
    rise_to_decline: Values

    def __len__(self) -> int:
        return len(self.orders)

    def reaching(self, min_end_change_pct: float | Values, min_rise_to_decline: float | Values) -> Mask:
        """Which reach the thresholds, the same for all or `(n,)` each."""
        return (self.end_change_pct >= min_end_change_pct) & (self.rise_to_decline >= min_rise_to_decline)

    def rows(self, chosen: Mask | Indices | slice) -> "Proposals":
        return Proposals(self.orders.rows(chosen), self.end_change_pct[chosen], self.rise_to_decline[chosen])


def propose(strategy: Strategy, coin: Coin, full_stake: float, rule: Rule | None) -> Proposals:
    """What the strategy would do if every prediction reached its thresholds: go the way of the predicted end change, or as the rule says.

    Raises `CoinfarmError` for a rule whose answer cannot be.
    """
    predicted = coin.predicted_pct
    if rule is None:
        side = np.sign(predicted[:, END]).astype(np.int8)
        if not strategy.entry.allow_short:
            side[side < 0] = 0
    else:
        side = _asked(rule, coin, strategy.entry.allow_short)
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
    )
    return Proposals(orders, end_change, with_trade / against)


def rule_columns(coin: Coin) -> dict[str, NDArray[np.generic]]:
    """The predictions' columns, as a `Rule` gets them."""
    columns: dict[str, NDArray[np.generic]] = {
        "symbol": np.full(len(coin), coin.symbol),
        "close_time": coin.signal_ms + coin.candles.interval_ms - 1,
        "filled_candles": coin.filled_candles,
    }
    return columns | dict(zip(OUTPUT_COLUMNS, coin.predicted_pct.T, strict=True))


def _asked(rule: Rule, coin: Coin, allow_short: bool) -> NDArray[np.int8]:
    answer = np.asarray(rule(rule_columns(coin)))
    if answer.shape != (len(coin),) or not np.isin(answer, (-1, 0, 1)).all():
        raise CoinfarmError(
            f"entry.rule must answer an array of {len(coin)} numbers, 1 (long), 0 (nothing) or -1 (short), "
            f"not {answer.shape} of {answer.dtype}"
        )
    side: NDArray[np.int8] = answer.astype(np.int8)
    if not allow_short and (side < 0).any():
        raise CoinfarmError("entry.rule asks for short positions: set allow_short = true under [entry], or let it answer 0 there")
    return side


def _distance(share: float, move_pct: Values, exits: Exit) -> Values:
    if not share:
        return np.full(len(move_pct), np.inf)
    return np.maximum(share * move_pct, exits.min_distance_pct)


def _stake(size: Size, full_stake: float, end_change_pct: Values) -> Values:
    if size.by == "fixed":
        return np.full(len(end_change_pct), full_stake)
    edge: Values = np.clip(end_change_pct / size.full_edge_pct, 0.0, 1.0)
    return full_stake * edge
