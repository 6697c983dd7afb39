"""A slow but simple simulation of step rules, which the tests compare `coinfarm.backtesting.rules.step_simulation` with."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from coinfarm.backtesting.execution.orders import Orders
from coinfarm.backtesting.execution.position_schedule import PositionLimits
from coinfarm.backtesting.execution.reference_market import ReferenceMarket
from coinfarm.backtesting.execution.reference_position import ReferencePosition
from coinfarm.backtesting.execution.trades import HORIZON, RULE, Trade, Trades
from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.backtesting.rules.step_view import OpenPosition, PastCandles, StepView
from coinfarm.backtesting.strategy import Strategy


def simulate_steps_by_candle(coins: Sequence[PredictedCoin], strategy: Strategy, rule: Callable[[StepView], Any], stake: float) -> Trades:
    """The trades of a rule that returns None, `"exit"`, or mappings with all fields."""
    markets = [ReferenceMarket(coin.candles, strategy.market.for_coin(coin.symbol)) for coin in coins]
    times = sorted({int(time) for coin in coins for time in coin.candles.open_time})
    index = [{int(time): at for at, time in enumerate(coin.candles.open_time)} for coin in coins]
    rows = [{int(signal): row for row, signal in enumerate(coin.signal)} for coin in coins]
    positions: list[ReferencePosition] = []
    by_rule: list[ReferencePosition] = []
    trades: list[Trade] = []
    for time in times:
        for position in positions:
            if time in index[position.coin]:
                position.advance(index[position.coin][time])
        for position in positions:
            if position.is_closed:
                trade = position.trade()
                trades.append(
                    trade._replace(reason=RULE) if any(position is each for each in by_rule) and trade.reason == HORIZON else trade
                )
        positions = [each for each in positions if not each.is_closed and not each.is_cancelled]
        for number, coin in enumerate(coins):
            at = index[number].get(time)
            if at is None or at not in rows[number]:
                continue
            own = [each for each in positions if each.coin == number]
            returned = rule(_view(coin, rows[number][at], at, own))
            if returned == "exit":
                positions = [each for each in positions if each.coin != number or each.entry_at is not None]
                for each in own:
                    if each.entry_at is not None and at + 1 - each.entry_at < each.hold:
                        each.hold = at + 1 - each.entry_at
                        by_rule.append(each)
            elif returned is not None:
                order = _order(coin, at, returned, strategy, stake)
                placed = ReferencePosition.place(number, markets[number], order, 0)
                if placed is not None and _is_within(strategy.size.limits, placed, positions, len(coins)):
                    positions.append(placed)
    return Trades.from_rows(tuple(coin.symbol for coin in coins), trades)


def _view(coin: PredictedCoin, row: int, at: int, own: list[ReferencePosition]) -> StepView:
    candles, past = coin.candles, slice(0, row + 1)
    close_time = coin.signal_ms + candles.interval_ms - 1
    rise, decline, end = (column[past].copy() for column in coin.predicted_pct.T)
    predictions = {
        "close_time": close_time[past],
        "filled_candles": coin.filled_candles[past],
        "max_rise_pct": rise,
        "max_decline_pct": decline,
        "end_change_pct": end,
    }
    opened = tuple(
        OpenPosition(int(candles.open_time[each.entry_at]), each.entries[0].price, each.side, each.stake)
        for each in own
        if each.entry_at is not None
    )
    columns = [column[: at + 1].copy() for column in (candles.open_time, *candles.columns, candles.filled)]
    return StepView(coin.symbol, int(close_time[row]), PastCandles(*columns), predictions, opened, len(own) - len(opened))


def _order(coin: PredictedCoin, at: int, returned: dict[str, float], strategy: Strategy, stake: float) -> Orders:
    entry, side = strategy.entry, returned["side"]
    limit = coin.candles.columns.close[at] * (1 - side * entry.limit_offset_bps / 10_000) if entry.order == "limit" else None
    return Orders(
        np.array([at]),
        np.array([side], np.int8),
        np.array([returned["stop_pct"]]),
        np.array([returned["take_profit_pct"]]),
        np.array([strategy.exit.horizon_candles]),
        np.array([stake * returned["stake_share"]]),
        None if limit is None else np.array([limit]),
        entry.valid_candles,
    )


def _is_within(limits: PositionLimits, placed: ReferencePosition, positions: list[ReferencePosition], coins: int) -> bool:
    own = [each for each in positions if each.coin == placed.coin]
    total = coins * limits.per_coin if limits.total is None else limits.total
    caps = ((own, limits.coin_exposure), (positions, limits.total_exposure))
    return (
        len(own) < limits.per_coin
        and len(positions) < total
        and all(cap is None or placed.stake + sum(each.stake for each in others) <= cap * (1 + 1e-9) for others, cap in caps)
    )
