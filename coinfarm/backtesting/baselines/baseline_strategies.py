"""Baselines, traded on the same candles at the same costs as the strategy that they are compared with."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from coinfarm.backtesting.baselines.buy_and_hold import buy_and_hold
from coinfarm.backtesting.baselines.opportunities import ExitTimes, Opportunities, find_opportunities
from coinfarm.backtesting.baselines.past_change import PastChange
from coinfarm.backtesting.baselines.perfect_foresight import best_trades
from coinfarm.backtesting.baselines.random_entries import Layouts
from coinfarm.backtesting.baselines.shuffled_signals import SignalShuffle
from coinfarm.backtesting.baselines.trade_plan import TradePlan, sequences
from coinfarm.backtesting.execution.fills import Fills, fill_placed, placed_rows
from coinfarm.backtesting.execution.orders import Orders, join_orders
from coinfarm.backtesting.execution.simulation import simulate_trades
from coinfarm.backtesting.execution.trades import Trades
from coinfarm.backtesting.period import BacktestPeriod
from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.backtesting.strategy import Strategy

DRAWS = 20
"""The number of draws of a random baseline, each a complete simulation."""
_MIN_DRAWS = 10
_MAX_SHUFFLED_ORDERS = 250_000
"""Signals are shuffled fewer times if the orders of all draws together would be more."""
BUY_AND_HOLD = "buy and hold"
PERFECT_FORESIGHT = "perfect foresight"
BASELINE_COUNT = 7


@dataclass(frozen=True, eq=False)
class BaselineStrategy:
    """A baseline with the trades of each draw; one that is not random has one. `is_plan` if it makes the strategy's number of trades.

    Stakes are shares of each day's equity if it `compounds`.
    """

    name: str
    meaning: str
    draws: tuple[Trades, ...]
    is_plan: bool = False
    compounds: bool = True


@dataclass(frozen=True, eq=False)
class BaselineContext:
    """The input of baselines: the tested coins, the strategy, its trades, the orders of each coin that reached its thresholds, and its full
    stake.
    """

    coins: Sequence[PredictedCoin]
    strategy: Strategy
    period: BacktestPeriod
    trades: Trades
    orders: Sequence[Orders]
    full_stake: float
    seed: int = 0

    def simulate(self, draws: Sequence[Sequence[Orders]]) -> tuple[Trades, ...]:
        """The trades of each draw, which has the orders of each coin, under the strategy's limits."""
        by_coin = [self._fills(coin, [orders[number] for orders in draws]) for number, coin in enumerate(self.coins)]
        return tuple(simulate_trades(self.trades.symbols, fills, self.strategy.size.limits) for fills in zip(*by_coin, strict=True))

    def _fills(self, coin: PredictedCoin, draws: list[Orders]) -> list[Fills]:
        """The fills of each draw. All are filled at once, which is faster."""
        orders, ends = join_orders(draws), np.cumsum([len(each) for each in draws])
        rows, stake = placed_rows(coin.candles, orders, self.strategy.market)
        fills = fill_placed(coin.candles, orders.rows(rows).with_stake(stake), self.strategy.market)
        bounds = np.append(0, np.searchsorted(rows, ends)).tolist()
        return [fills.rows(slice(first, stop)) for first, stop in pairwise(bounds)]


def baselines(context: BaselineContext) -> Iterator[BaselineStrategy]:
    """All `BASELINE_COUNT` baselines, from the simplest to perfect foresight."""
    strategy, symbols = context.strategy, context.trades.symbols
    candles = [coin.candles for coin in context.coins]
    held = buy_and_hold(symbols, candles, strategy.market, context.period, strategy.size.capital)
    yield BaselineStrategy(
        BUY_AND_HOLD,
        "buys each coin once, for equal parts of the capital, and sells at the end; its costs are paid once",
        (held,),
        compounds=False,
    )
    planned = _Planned(context)
    yield planned.always_long()
    yield planned.random_entries()
    yield planned.past_change(
        "momentum", "enters in the direction of the change over the last horizon, where it is large compared with the past", 1
    )
    yield planned.past_change("reversal", "likewise, against the direction of the change", -1)
    yield _shuffled(context)
    yield planned.foresight()


class _Planned:
    """Baselines that choose from all opportunities."""

    def __init__(self, context: BaselineContext) -> None:
        self._context = context
        self._interval_ms = context.coins[0].candles.interval_ms
        sides = (1, -1) if context.strategy.entry.allow_short else (1,)
        self._plan = TradePlan.of(context.trades, self._interval_ms)
        self._of_side = {
            side: [find_opportunities(coin, context.strategy, context.full_stake, side) for coin in context.coins] for side in sides
        }
        self._exits = [ExitTimes(coin.candles, context.strategy.market.for_coin(coin.symbol)) for coin in context.coins]
        self._changes = [
            PastChange(coin, self._of_coin(number), self._exits[number], context.strategy.exit.horizon_candles)
            for number, coin in enumerate(context.coins)
        ]
        self._layouts = Layouts(
            self._plan,
            sequences(context.trades, context.strategy.size.limits),
            self._of_side,
            self._exits,
            [int(coin.candles.open_time[0]) // self._interval_ms for coin in context.coins],
        )

    def always_long(self) -> BaselineStrategy:
        trades = self._context.simulate([self._layouts.regular_orders(1)])
        return BaselineStrategy("always long", "buys at regular intervals", trades, is_plan=True)

    def random_entries(self) -> BaselineStrategy:
        generator = np.random.default_rng(self._context.seed)
        draws = self._context.simulate([self._layouts.random_orders(generator) for _ in range(DRAWS)])
        return BaselineStrategy("random entries", "enters at random times, with the strategy's sides", draws, is_plan=True)

    def past_change(self, name: str, meaning: str, direction: int) -> BaselineStrategy:
        """Momentum, or with a `direction` of -1 reversal."""
        context = self._context
        orders = [
            changes.orders(self._plan.rows(np.flatnonzero(self._plan.coin == number)), direction, context.strategy.size.positions_per_coin)
            for number, changes in enumerate(self._changes)
        ]
        return BaselineStrategy(name, meaning, context.simulate([orders]), is_plan=True)

    def _of_coin(self, number: int) -> dict[int, Opportunities]:
        return {side: of_coin[number] for side, of_coin in self._of_side.items()}

    def foresight(self) -> BaselineStrategy:
        context = self._context
        strategy = context.strategy
        trades = [
            best_trades(
                context.trades.symbols,
                number,
                coin,
                self._of_coin(number),
                strategy.exit.horizon_candles,
                strategy.market,
                strategy.size.positions_per_coin,
            )
            for number, coin in enumerate(context.coins)
        ]
        return BaselineStrategy(
            PERFECT_FORESIGHT,
            "knows all prices, and takes the trades that earn the most together: no strategy with this size, horizon and costs earns more",
            (Trades.concatenate(trades),),
        )


def _shuffled(context: BaselineContext) -> BaselineStrategy:
    generator = np.random.default_rng(context.seed + 1)
    shuffles = [SignalShuffle(coin, orders) for coin, orders in zip(context.coins, context.orders, strict=True)]
    count = min(DRAWS, max(_MIN_DRAWS, _MAX_SHUFFLED_ORDERS // max(1, sum(map(len, context.orders)))))
    draws = context.simulate([[each.orders(generator) for each in shuffles] for _ in range(count)])
    return BaselineStrategy("shuffled predictions", "the strategy's signals on other days, drawn at random", draws)
