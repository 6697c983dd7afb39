"""Baseline strategies, traded on the same candles at the same costs as the strategy that they are compared with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coinfarm.backtesting.fills import fill_orders
from coinfarm.backtesting.orders import Orders
from coinfarm.backtesting.predicted_coin import Indices, PredictedCoin
from coinfarm.backtesting.simulation import simulate_trades
from coinfarm.backtesting.strategy import Strategy
from coinfarm.backtesting.trades import Trades
from coinfarm.candles.arrays import Values
from coinfarm.candles.day import DAY_MS

_DRAWS = 5
"""The number of draws of a random baseline; the trades of all draws are pooled."""
_MIN_BLOCKS = 20


@dataclass(frozen=True, eq=False)
class BaselineStrategy:
    """`trades` are those of `draws` runs, pooled."""

    name: str
    meaning: str
    trades: Trades
    draws: int = 1


@dataclass(frozen=True, eq=False)
class BaselineContext:
    """The input of baselines: the tested coins, the strategy, its trades, its number of signals for each coin, and its full stake.

    `trade` runs the strategy on coins with other predictions.
    """

    coins: Sequence[PredictedCoin]
    strategy: Strategy
    trades: Trades
    signals: Sequence[int]
    full_stake: float
    trade: Callable[[Sequence[PredictedCoin]], Trades]
    seed: int = 0


def baselines(context: BaselineContext) -> tuple[BaselineStrategy, ...]:
    """All baselines, from the simplest to perfect foresight."""
    return (
        BaselineStrategy("always long", "buys whenever it has no position, and sells at the horizon", _always_long(context)),
        BaselineStrategy(
            "random entries",
            "enters at random times, with the strategy's number of trades, holding times and sides",
            _random_entries(context),
            _DRAWS,
        ),
        BaselineStrategy(
            "momentum",
            "follows the change over the last horizon, where it was largest, as often as the strategy has signals",
            _past_change(context, 1),
        ),
        BaselineStrategy("reversal", "bets against the change over the last horizon, likewise", _past_change(context, -1)),
        BaselineStrategy("shuffled labels", "the strategy on predictions of other days, drawn at random", _shuffled(context), _DRAWS),
        BaselineStrategy(
            "perfect foresight, all trades",
            "knows the price at the end of each horizon, uses no stops and takes every trade that pays its costs, small gains too: "
            "so its average per trade is not an upper limit",
            _foresight(context),
        ),
    )


def _always_long(context: BaselineContext) -> Trades:
    horizon = context.strategy.exit.horizon_candles
    return _simulate(
        context, [_timed_orders(coin.signal, np.ones(len(coin), np.int8), horizon, context.full_stake) for coin in context.coins]
    )


def _random_entries(context: BaselineContext) -> Trades:
    generator = np.random.default_rng(context.seed)
    return Trades.concatenate(
        [_simulate(context, [_random_orders(context, at, generator) for at in range(len(context.coins))]) for _ in range(_DRAWS)]
    )


def _random_orders(context: BaselineContext, at: int, generator: np.random.Generator) -> Orders:
    """The strategy's trades of one coin, in random order and with random pauses between them."""
    coin, trades = context.coins[at], context.trades.rows(context.trades.coin == at)
    if not len(trades):
        return _timed_orders(coin.signal[:0], np.zeros(0, np.int8), 1, context.full_stake)
    hold = np.maximum(1, (trades.exit_ms - trades.entry_ms) // coin.candles.interval_ms)
    order = generator.permutation(len(trades))
    hold, side = hold[order], trades.side[order]
    rows_per_candle = len(coin) / max(1, coin.signal[-1] - coin.signal[0] + 1)
    rows_held = np.ceil((hold + 1) * rows_per_candle).astype(np.int64)
    free = max(0, len(coin) - int(rows_held.sum()))
    pauses = np.sort(generator.integers(0, free + 1, len(trades)))
    row = np.minimum(pauses + np.append(0, np.cumsum(rows_held)[:-1]), len(coin) - 1)
    row, first = np.unique(row, return_index=True)
    return _timed_orders(coin.signal[row], side[first], hold[first], context.full_stake)


def _past_change(context: BaselineContext, direction: int) -> Trades:
    horizon = context.strategy.exit.horizon_candles
    orders = []
    for coin, signals in zip(context.coins, context.signals, strict=True):
        close = coin.candles.columns.close
        signal = coin.signal[coin.signal >= horizon]
        change = direction * (close[signal] / close[signal - horizon] - 1.0)
        strength = np.abs(change) if context.strategy.entry.allow_short else change
        rows = np.sort(np.argsort(-strength, kind="stable")[:signals])
        rows = rows[strength[rows] > 0]
        orders.append(_timed_orders(signal[rows], np.sign(change[rows]).astype(np.int8), horizon, context.full_stake))
    return _simulate(context, orders)


def _shuffled(context: BaselineContext) -> Trades:
    """Predictions shuffled in blocks of a day (or a twentieth of a short period), which preserves the autocorrelation within blocks."""
    generator = np.random.default_rng(context.seed + 1)
    return Trades.concatenate([context.trade([_shuffle_blocks(coin, generator) for coin in context.coins]) for _ in range(_DRAWS)])


def _shuffle_blocks(coin: PredictedCoin, generator: np.random.Generator) -> PredictedCoin:
    time_ms = coin.signal_ms
    block_ms = min(DAY_MS, max(1, int(time_ms[-1] - time_ms[0]) // _MIN_BLOCKS)) if len(coin) else DAY_MS
    blocks = np.split(np.arange(len(coin)), np.flatnonzero(np.diff(time_ms // block_ms)) + 1)
    order = generator.permutation(len(blocks))
    return coin.with_predictions(coin.predicted_pct[np.concatenate([blocks[at] for at in order])])


def _foresight(context: BaselineContext) -> Trades:
    """Perfect foresight of the price at the end of the horizon. It sets no stops: earlier prices do not matter."""
    horizon = context.strategy.exit.horizon_candles
    orders = []
    for coin in context.coins:
        market = context.strategy.market.for_coin(coin.symbol)
        cost = 2.0 * (market.taker_fee_bps + market.slippage_bps) / 1e4
        open_price = coin.candles.columns.open
        signal = coin.signal[coin.signal + 1 + horizon < len(coin.candles)]
        change = open_price[signal + 1 + horizon] / open_price[signal + 1] - 1.0
        profitable = np.abs(change) > cost if context.strategy.entry.allow_short else change > cost
        orders.append(_timed_orders(signal[profitable], np.sign(change[profitable]).astype(np.int8), horizon, context.full_stake))
    return _simulate(context, orders)


def _timed_orders(signal: Indices, side: NDArray[np.int8], hold: int | Indices, stake: float) -> Orders:
    """Orders whose positions are closed after exactly `hold` candles."""
    never: Values = np.full(len(signal), np.inf)
    return Orders(signal, side, never, never, np.broadcast_to(np.asarray(hold, np.int64), signal.shape), np.full(len(signal), stake))


def _simulate(context: BaselineContext, orders: list[Orders]) -> Trades:
    fills = [fill_orders(coin.candles, each, context.strategy.market) for coin, each in zip(context.coins, orders, strict=True)]
    return simulate_trades(context.trades.symbols, fills, context.strategy.size.limits)
