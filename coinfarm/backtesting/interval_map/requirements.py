"""What would have to be true for trades to pay: the fees, and the direction accuracy."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np

from coinfarm.backtesting.backtest_result import BacktestResult
from coinfarm.backtesting.execution.market import Market
from coinfarm.backtesting.execution.trades import Trades
from coinfarm.backtesting.predicted_coin import END, PredictedCoin
from coinfarm.candles.arrays import Values


@dataclass(frozen=True)
class PayingFees:
    """The highest fees, in basis points, at which the same trades pay a round-trip cost of `cost_bps`; NaN without trades.

    `round_trip_bps` are the fees of entry and exit together, without slippage and interest. `maker_bps` and `taker_bps` are those of each
    limit and market order, in the proportion of the strategy's fees. Below zero, even trading without fees would be too dear.
    """

    cost_bps: float
    round_trip_bps: float
    maker_bps: float
    taker_bps: float


@dataclass(frozen=True)
class RequiredAccuracy:
    """The direction accuracy that the cost of a round trip demands of the traded predictions, beside the one that they had; in percent.

    A prediction that is right with the probability p gains (2 p - 1) times the mean absolute move over the horizon, `mean_move_bps`, if
    right and wrong ones move alike. `required_pct` is the p at which that is the cost: above 100, none is enough. NaN without trades.
    """

    mean_move_bps: float
    required_pct: float
    actual_pct: float
    counted: int


def paying_fees(trades: Trades, market: Market, affordable_bps: float) -> PayingFees:
    """The fees at which the trades would cost `affordable_bps` a round trip. What else they cost stays as it is."""
    staked = float(trades.stake.sum())
    if not staked:
        return PayingFees(affordable_bps, nan, nan, nan)
    fees_bps, cost_bps = (1e4 * float(each.sum()) / staked for each in (trades.fees, trades.cost))
    room_bps = affordable_bps - (cost_bps - fees_bps)
    share = room_bps / fees_bps if fees_bps else nan
    return PayingFees(affordable_bps, room_bps, share * market.maker_fee_bps, share * market.taker_fee_bps)


def required_accuracy(result: BacktestResult) -> RequiredAccuracy:
    """The accuracy that the result's cost demands of its traded predictions."""
    moves = traded_moves_bps(result.coins, result.trades, result.strategy.exit.horizon_candles)
    mean = float(moves.mean()) if len(moves) else nan
    required = 50.0 * (1.0 + result.break_even.cost_bps / mean) if mean else nan
    return RequiredAccuracy(mean, required, result.direction.traded_right_pct, result.direction.traded_counted)


def moves_bps(coin: PredictedCoin, horizon_candles: int) -> Values:
    """`(n,)`: the absolute end changes over the horizons of the coin's predictions."""
    moves: Values = 100.0 * np.abs(coin.actual_pct(horizon_candles)[:, END])
    return moves


def traded_moves_bps(coins: Sequence[PredictedCoin], trades: Trades, horizon_candles: int) -> Values:
    """The same of the traded predictions alone; `coins` are in the order of `trades.symbols`."""
    traded = [coin.rows(np.isin(coin.signal, trades.signal[trades.coin == at])) for at, coin in enumerate(coins)]
    return np.concatenate([moves_bps(coin, horizon_candles) for coin in traded])
