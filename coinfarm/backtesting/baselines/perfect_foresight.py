"""Perfect foresight: the ceiling of the net profit.

It chooses entries and exits of one coin knowing all prices. Entries are at predictions, with the largest stake that may be placed there;
exits are at most one horizon later, at the high of any candle (the low, for short positions) or at market when the horizon ends. Dynamic
programming over the candles finds the sequence of trades, one after the other, with the largest total net profit. What is pessimistic in
the simulation is left out: the market impact of the stake, and a worse price for what a candle's volume does not allow.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coinfarm.backtesting.baselines.opportunities import Opportunities
from coinfarm.backtesting.execution.liquidity import has_trades, next_traded
from coinfarm.backtesting.execution.market import Market
from coinfarm.backtesting.execution.order_size import slippage_shares
from coinfarm.backtesting.execution.trades import HORIZON, TAKE_PROFIT, Trades
from coinfarm.backtesting.predicted_coin import Indices, PredictedCoin
from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import DAY_MS


@dataclass(frozen=True, eq=False)
class _Exits:
    """Profitable exits of opportunities, every column `(n,)`: the opportunity's row, its signal candle, the exit candle, the price, the net
    profit, and whether the position is closed at market.
    """

    side: NDArray[np.int8]
    row: Indices
    signal: Indices
    exit_at: Indices
    price: Values
    net: Values
    at_market: NDArray[np.bool_]

    def rows(self, chosen: Indices) -> "_Exits":
        return _Exits(*(column[chosen] for column in vars(self).values()))


def best_trades(
    symbols: tuple[str, ...], number: int, coin: PredictedCoin, of_side: dict[int, Opportunities], horizon: int, market: Market, copies: int
) -> Trades:
    """The trades with the largest total net profit, of the coin with that `number` in `symbols`, with `copies` times the largest stake.

    Without `copies`, no trades of one position after the other, with the same stakes, horizon and costs, have a larger net profit. If
    several positions may be open at the same time, each is one of a sequence that does not overlap, so that many copies are a bound, too.
    """
    market = market.for_coin(coin.symbol)
    sides = [_Side(coin.candles, opportunities, horizon, market) for opportunities in of_side.values()]
    found = [each.exits() for each in sides]
    exits = _Exits(*(np.concatenate([getattr(each, name) for each in found]) for name in vars(found[0])))
    exits = exits.rows(np.argsort(exits.signal, kind="stable"))
    chosen = exits.rows(_best_sequence(exits.signal, exits.exit_at, exits.net))
    parts = [each.trades(symbols, number, chosen.rows(np.flatnonzero(chosen.side == each.side)), copies) for each in sides]
    return Trades.concatenate(parts)


def _best_sequence(signal: Indices, exit_at: Indices, net: Values) -> Indices:
    """The rows of the trades, in order of `signal`, that follow one another and have the largest sum of `net`.

    The next signal after a trade is that of its exit candle or a later one.
    """
    count = int(exit_at.max(initial=0)) + 1
    best = [0.0] * count  # the largest profit of trades that have ended in each candle or before
    last_trade = [-1] * count  # the last of these trades
    done = 0
    for row, (start, stop, profit) in enumerate(zip(signal.tolist(), exit_at.tolist(), net.tolist(), strict=True)):
        while done < start:
            done += 1
            if best[done] < best[done - 1]:
                best[done], last_trade[done] = best[done - 1], last_trade[done - 1]
        total = best[start] + profit
        if total > best[stop]:
            best[stop], last_trade[stop] = total, row
    for candle in range(done + 1, count):
        if best[candle] < best[candle - 1]:
            best[candle], last_trade[candle] = best[candle - 1], last_trade[candle - 1]
    rows = []
    row = last_trade[-1]
    while row >= 0:
        rows.append(row)
        row = last_trade[int(signal[row])]
    return np.array(rows[::-1], np.int64)


class _Side:
    """The opportunities of one side, and what a position costs per unit of its stake."""

    def __init__(self, candles: Candles, opportunities: Opportunities, horizon: int, market: Market) -> None:
        self.side = opportunities.side
        self._candles, self._market, self._horizon = candles, market, horizon
        self._at = at = opportunities
        self._filled = np.flatnonzero(at.filled)
        orders = at.orders(np.arange(len(at)), np.ones(len(at), np.int64), at.room)
        self._slip = slippage_shares(candles, orders, market.model_copy(update={"size_slippage_bps": 0.0}))
        self._maker, self._taker = market.maker_fee_bps / 10_000.0, market.taker_fee_bps / 10_000.0
        self._market_in = self._slip + self._taker * (1.0 + self.side * self._slip)
        self._market_out = self._slip + self._taker * (1.0 - self.side * self._slip)
        self._traded, self._following = has_trades(candles), next_traded(candles)

    def exits(self) -> _Exits:
        """Every exit that is better than all earlier ones of the same position."""
        at, columns, side = self._at, self._candles.columns, self.side
        rows, count = self._filled, len(self._candles)
        entry, price = at.entry_at[rows], at.price[rows]
        best_price = np.where(self._traded, columns.high if side > 0 else columns.low, np.nan)
        rate_in, out_limit = self._rate_in(rows), np.minimum(self._maker, self._market_out[rows])
        borrow = self._borrow_per_candle()
        best, room = np.zeros(len(rows)), at.room[rows]
        # Another position from the next candle on to the same exit takes the place of one that earns no more.
        has_next = np.append(np.diff(at.signal[rows]) == 1, False) & np.append(np.diff(entry) == 1, False)
        by_next = np.full(len(rows), -np.inf)
        found = []
        # A limit order may be filled after the price was at its best, so its position cannot end in the same candle.
        for ahead in range(1 if at.is_limit else 0, self._horizon):
            exit_at = np.minimum(entry + ahead, count - 1)
            at_best = best_price[exit_at]
            net = self._net(price, at_best, rate_in, out_limit) - borrow * (ahead + 1)
            net *= room
            found.append(self._better(rows, exit_at, at_best, net, np.maximum(best, by_next), at_market=False))
            np.fmax(best, net, out=best)
            by_next = np.where(has_next, np.append(net[1:], -np.inf), -np.inf)
        due = self._following[np.minimum(entry + self._horizon, count)]
        inside = np.flatnonzero(due < count)
        due = due[inside]
        # What its volume does not allow is filled later, at no better price.
        at_market = columns.open[due]
        net = self._net(price[inside], at_market, rate_in[inside], self._market_out[rows[inside]]) - borrow * (due - entry[inside])
        found.append(self._better(rows[inside], due, at_market, net * room[inside], best[inside], at_market=True))
        return _Exits(*(np.concatenate([getattr(each, name) for each in found]) for name in vars(found[0])))

    def trades(self, symbols: tuple[str, ...], coin: int, chosen: _Exits, copies: int) -> Trades:
        """The chosen exits as trades, which cost what the choice assumed."""
        at, rows, times = self._at, chosen.row, self._candles.open_time
        price, stake, slip = at.price[rows], at.room[rows] * copies, self._slip[rows]
        value_out = stake * chosen.price / price
        cheaper_at_market = self._market_out[rows] < self._maker
        out_at_market = chosen.at_market | cheaper_at_market
        in_at_market = np.full(len(rows), not at.is_limit) | (self._rate_in(rows) < self._maker)
        slippage = slip * (np.where(in_at_market, stake, 0.0) + np.where(out_at_market, value_out, 0.0))
        fees = stake * np.where(in_at_market, self._taker * (1.0 + self.side * slip), self._maker)
        fees += value_out * np.where(out_at_market, self._taker * (1.0 - self.side * slip), self._maker)
        exit_ms = times[chosen.exit_at] + np.where(chosen.at_market, 0, self._candles.interval_ms)
        entry_ms = times[at.entry_at[rows]]
        held = (exit_ms - entry_ms) // self._candles.interval_ms
        return Trades(
            symbols,
            np.full(len(rows), coin, np.int64),
            at.signal[rows],
            entry_ms,
            exit_ms,
            np.full(len(rows), self.side, np.int8),
            np.where(chosen.at_market, HORIZON, TAKE_PROFIT).astype(np.int8),
            price,
            chosen.price,
            stake,
            self.side * stake * (chosen.price / price - 1.0),
            slippage,
            fees,
            stake * self._borrow_per_candle() * held,
        )

    def _net(self, price: Values, exit_price: Values, rate_in: Values, rate_out: Values) -> Values:
        """The net profit per unit of the stake, without interest."""
        ratio = exit_price / price
        net: Values = self.side * (ratio - 1.0) - rate_in - ratio * rate_out
        return net

    def _rate_in(self, rows: Indices) -> Values:
        """The costs of entry: of a limit order at its cheapest, as what it does not fill is bought at market."""
        market_in: Values = self._market_in[rows]
        return np.minimum(self._maker, market_in) if self._at.is_limit else market_in

    def _borrow_per_candle(self) -> float:
        per_day = self._market.borrow_bps_per_day / 10_000.0
        return per_day * self._candles.interval_ms / DAY_MS if self.side < 0 else 0.0

    def _better(self, rows: Indices, exit_at: Indices, price: Values, net: Values, best: Values, *, at_market: bool) -> _Exits:
        better = np.flatnonzero(net > best)
        rows = rows[better]
        return _Exits(
            np.full(len(rows), self.side, np.int8),
            rows,
            self._at.signal[rows],
            exit_at[better],
            price[better],
            net[better],
            np.full(len(rows), at_market),
        )
