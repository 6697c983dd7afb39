"""Trades of a step rule, which sees its open positions: one prediction after the other, over all coins in order of time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from coinfarm.backtesting.execution.fills import fill_orders
from coinfarm.backtesting.execution.orders import Orders, join_orders
from coinfarm.backtesting.execution.position_schedule import PositionLimits
from coinfarm.backtesting.execution.proposals import propose_wanted
from coinfarm.backtesting.execution.simulation import trades_from_fills
from coinfarm.backtesting.execution.single_fill import SingleFill, SingleFills
from coinfarm.backtesting.execution.trades import HORIZON, RULE, Trades
from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.backtesting.rules.step_view import OpenPosition, PastViews
from coinfarm.backtesting.rules.user_rule import StepRule, call_rule, invalid_result
from coinfarm.backtesting.rules.wanted_orders import WantedOrders, checked_orders
from coinfarm.backtesting.strategy import Strategy

EXIT = "exit"
_ROUNDING = 1.0 + 1e-9
"""For sums of stakes that reach a limit exactly."""


def simulate_steps(
    symbols: tuple[str, ...], coins: Sequence[PredictedCoin], strategy: Strategy, rule: StepRule, full_stake: float
) -> tuple[Trades, list[Orders]]:
    """The trades of the rule, and its orders of each coin that were placed. Raises `RuleError` if the rule fails.

    Orders are placed and filled as by `fill_orders` and `simulate_trades`. An exit by the rule closes a position at the open of the next
    candle, as a horizon that ends then, and cancels orders that are not filled yet.
    """
    traders = [_CoinTrader(coin, strategy, rule, full_stake) for coin in coins]
    times = [coin.signal_ms for coin in coins]
    number = np.repeat(np.arange(len(coins)), [len(each) for each in times])
    row = np.concatenate([np.arange(len(each)) for each in times])
    order = np.lexsort((number, np.concatenate(times)))
    limits = strategy.size.limits
    for at, coin in zip(row[order].tolist(), number[order].tolist(), strict=True):
        now_ms = int(times[coin][at])
        for trader in traders:
            trader.drop_ended(now_ms)
        if (wanted := traders[coin].decide(at)) is not None:
            traders[coin].place(wanted, lambda stake, coin=coin: _within(limits, traders, coin, stake))
    return Trades.concatenate([trader.trades(symbols, at) for at, trader in enumerate(traders)]), [trader.orders() for trader in traders]


def _within(limits: PositionLimits, traders: "Sequence[_CoinTrader]", coin: int, stake: float) -> bool:
    """Whether the limits allow one more position of the coin with this stake."""
    own, every = traders[coin].held, [each for trader in traders for each in trader.held]
    total = len(traders) * limits.per_coin if limits.total is None else limits.total
    if len(own) >= limits.per_coin or len(every) >= total:
        return False
    for others, exposure in ((own, limits.coin_exposure), (every, limits.total_exposure)):
        if exposure is not None and stake + sum(each.stake for each in others) > exposure * _ROUNDING:
            return False
    return True


@dataclass(eq=False)
class _Held:
    """A position that is open or waits for its entry."""

    order: Orders
    fill: SingleFill
    closed_by_rule: bool = False

    @property
    def stake(self) -> float:
        return self.fill.stake

    def is_open(self, now: int) -> bool:
        return self.fill.filled and self.fill.entry_at <= now


class _CoinTrader:
    """One coin's positions and the rule that decides on them."""

    def __init__(self, coin: PredictedCoin, strategy: Strategy, rule: StepRule, full_stake: float) -> None:
        self.coin, self.strategy, self.rule, self.full_stake = coin, strategy, rule, full_stake
        self.market = strategy.market
        self.function = rule.for_coin()
        self.views = PastViews(coin)
        self.fills = SingleFills(coin.candles, strategy.market)
        self.held: list[_Held] = []
        self.ended: list[_Held] = []

    def drop_ended(self, now_ms: int) -> None:
        """Move positions that end in a candle that opened by then to `ended`."""
        if self.held and any(each.fill.end_ms <= now_ms for each in self.held):
            self.ended += [each for each in self.held if each.fill.end_ms <= now_ms]
            self.held = [each for each in self.held if each.fill.end_ms > now_ms]

    def decide(self, row: int) -> Orders | None:
        """Call the rule: the order that it wants, after the exits that it wants."""
        now = int(self.coin.signal[row])
        returned = call_rule(self.rule.function, self.function, self._view(row, now))
        if returned is None:
            return None
        if isinstance(returned, str):
            if returned != EXIT:
                raise invalid_result(self.rule.function, f"returned {returned!r}: the only text that it may return is {EXIT!r}")
            self._exit(now)
            return None
        return self._order(row, returned)

    def place(self, order: Orders, is_within: Callable[[float], bool]) -> None:
        """Hold the order if the limits allow it and it can be filled."""
        if not is_within(0.0):
            return
        fill = self.fills.fill(order)
        if fill is not None and is_within(fill.stake):
            self.held.append(_Held(order, fill))

    def trades(self, symbols: tuple[str, ...], number: int) -> Trades:
        """All trades of the coin, which has this number."""
        done = sorted((each for each in (*self.ended, *self.held) if each.fill.filled), key=lambda each: int(each.order.signal[0]))
        if not done:
            return Trades.from_rows(symbols, [])
        trades = trades_from_fills(symbols, number, fill_orders(self.coin.candles, join_orders([each.order for each in done]), self.market))
        by_rule = np.array([each.closed_by_rule for each in done]) & (trades.reason == HORIZON)
        return replace(trades, reason=np.where(by_rule, RULE, trades.reason).astype(np.int8))

    def orders(self) -> Orders:
        """The orders that were placed, filled or not, with the horizons at which the rule closed them."""
        placed = sorted((*self.ended, *self.held), key=lambda each: int(each.order.signal[0]))
        if not placed:
            nothing = WantedOrders(np.zeros(len(self.coin), np.int8))
            return propose_wanted(self.strategy, self.coin, self.full_stake, nothing).orders
        return join_orders([each.order for each in placed])

    def _view(self, row: int, now: int) -> Any:
        opened = tuple(
            OpenPosition(each.fill.entry_ms, each.fill.first_price, int(each.order.side[0]), each.stake)
            for each in self.held
            if each.is_open(now)
        )
        return self.views.at(row, opened, len(self.held) - len(opened))

    def _exit(self, now: int) -> None:
        """Close the open positions at the next open, and cancel what is not filled yet."""
        self.held = [each for each in self.held if each.is_open(now)]
        for each in self.held:
            hold = now + 1 - each.fill.entry_at
            if hold < each.order.hold[0]:
                each.order, each.closed_by_rule = replace(each.order, hold=np.array([hold], np.int64)), True
                closed = self.fills.fill(each.order)
                assert closed is not None  # it was placed with a longer horizon
                each.fill = closed

    def _order(self, row: int, returned: Any) -> Orders | None:
        wanted = checked_orders(self.rule.function, returned, None, allow_short=self.strategy.entry.allow_short)
        if not wanted.side[0]:
            return None
        return propose_wanted(self.strategy, self.coin.rows(slice(row, row + 1)), self.full_stake, wanted).orders
