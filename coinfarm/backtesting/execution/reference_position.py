"""One position of the reference simulation, from its order to its trade."""

from dataclasses import dataclass, field

from coinfarm.backtesting.execution.entry_fills import MAX_ENTRY_CANDLES
from coinfarm.backtesting.execution.orders import Orders
from coinfarm.backtesting.execution.reference_market import ReferenceMarket
from coinfarm.backtesting.execution.trades import HORIZON, LIQUIDATION, STOP, TAKE_PROFIT, Trade
from coinfarm.candles.day import DAY_MS

_NOTHING = 1e-12
"""A share of an order that is only rounding."""


@dataclass
class _Fill:
    """What one candle filled: an amount of the coin, and whether the order was a limit order."""

    amount: float
    price: float
    by_limit: bool


@dataclass
class ReferencePosition:
    """An order that was placed, and its position. `reason` and `exit_price` are set when a market order is placed to close it."""

    coin: int
    of: ReferenceMarket
    signal: int
    side: int
    stop_pct: float
    take_pct: float
    hold: int
    stake: float
    limit_price: float | None
    last_valid: int
    entry_at: int | None = None
    is_cancelled: bool = False
    is_closed: bool = False
    reason: int | None = None
    exit_price: float = 0.0
    exit_ms: int = 0
    entries: list[_Fill] = field(default_factory=list)
    exits: list[_Fill] = field(default_factory=list)

    @classmethod
    def place(cls, coin: int, of: ReferenceMarket, orders: Orders, row: int) -> "ReferencePosition | None":
        """None if the order is too small or may end after the last candle."""
        signal, hold = int(orders.signal[row]), int(orders.hold[row])
        last_valid = signal + orders.valid_candles
        stake = min(float(orders.stake[row]), of.market.volume_share_pct / 100.0 * of.usual_volume(signal))
        if stake <= 0 or stake < of.market.min_order or last_valid + hold > of.last_traded:
            return None
        limit = None if orders.limit_price is None else float(orders.limit_price[row])
        stop_pct, take_pct = float(orders.stop_pct[row]), float(orders.take_pct[row])
        return cls(coin, of, signal, int(orders.side[row]), stop_pct, take_pct, hold, stake, limit, last_valid)

    def advance(self, at: int) -> None:
        """What happens in candle `at`."""
        if self.entry_at is None:
            self._try_to_enter(at)
        elif self._is_entering and self.of.candles[at].has_trades and at < self.entry_at + self.hold:
            first_price, side = self.entries[0].price, self.side
            self._buy(at, side * max(side * first_price, side * self.of.candles[at].best(side)), by_limit=False)
        if self.entry_at is not None and self.of.candles[at].has_trades:
            self._exit(at)

    def _try_to_enter(self, at: int) -> None:
        candle = self.of.candles[at]
        if candle.has_trades and (self.limit_price is None or (self.limit_price - candle.worst(self.side)) * self.side > 0):
            self.entry_at = at
            by_limit = self.limit_price is not None
            self._buy(at, candle.open if self.limit_price is None else self.limit_price, by_limit=by_limit)
        elif at == self.last_valid:
            self.is_cancelled = True

    def _buy(self, at: int, price: float, *, by_limit: bool) -> None:
        spent = min(self.stake - self._spent, self.of.room(at) * price)
        self.entries.append(_Fill(spent / price, price, by_limit))

    @property
    def _spent(self) -> float:
        return sum(fill.amount * fill.price for fill in self.entries)

    @property
    def _is_entering(self) -> bool:
        return len(self.entries) < MAX_ENTRY_CANDLES and not self.exits and self.stake - self._spent > _NOTHING * self.stake

    def _complete_entry(self) -> None:
        """Before the first exit, what is left is filled at the worst price."""
        worst = self.side * max(self.side * fill.price for fill in self.entries)
        self.entries.append(_Fill(max(self.stake - self._spent, 0.0) / worst, worst, False))

    def _exit(self, at: int) -> None:
        candle, side = self.of.candles[at], self.side
        assert self.entry_at is not None
        if self.reason is not None:
            self._fill(at, side * min(side * self.exit_price, side * candle.worst(side)), self.reason)
            return
        first_price = self.entries[0].price
        stop, take = first_price * (1.0 - side * self.stop_pct / 100.0), first_price * (1.0 + side * self.take_pct / 100.0)
        ruin = float("inf")
        if side < 0:
            ruin = first_price * (2.0 - self.of.market.maintenance_margin_pct / 100.0)
            stop = min(stop, ruin)
        if at >= self.entry_at + self.hold:
            self._close(at, candle.open, LIQUIDATION if candle.open >= ruin else HORIZON)
        elif side * candle.worst(side) <= side * stop:
            price = min(candle.open, stop) if side > 0 else max(candle.open, stop)
            self._close(at, price, LIQUIDATION if price >= ruin else STOP)
        elif side * candle.best(side) > side * take and (self.limit_price is None or at > self.entry_at):
            self._fill(at, take, TAKE_PROFIT)

    def _close(self, at: int, price: float, reason: int) -> None:
        """Place the market order that closes the position."""
        self.reason, self.exit_price = reason, price
        self._fill(at, price, reason)

    def _fill(self, at: int, price: float, reason: int) -> None:
        if not self.exits:
            self._complete_entry()
        is_first = not any(not fill.by_limit for fill in self.exits)
        self.exits.append(_Fill(min(self.open_amount, self.of.room(at)), price, reason == TAKE_PROFIT))
        if self.open_amount > _NOTHING * self.amount and at == self.of.last_traded and reason != TAKE_PROFIT:
            worst = self.side * min(self.side * price, self.side * self.of.candles[at].worst(self.side))
            self.exits.append(_Fill(self.open_amount, worst, False))
            is_first = False
        if self.open_amount <= _NOTHING * self.amount:
            self.is_closed, self.reason = True, reason
            self.exit_ms = self.of.candles[at].open_ms + (0 if reason == HORIZON and is_first else self.of.interval_ms)

    @property
    def amount(self) -> float:
        return sum(fill.amount for fill in self.entries)

    @property
    def open_amount(self) -> float:
        return self.amount - sum(fill.amount for fill in self.exits)

    @property
    def entry_price(self) -> float:
        return self.stake / self.amount

    def trade(self) -> Trade:
        """The trade of a closed position."""
        assert self.entry_at is not None
        assert self.reason is not None
        market, side = self.of.market, self.side
        slip = self.of.slippage(self.signal, self.stake)
        entry_ms = self.of.candles[self.entry_at].open_ms
        gross = slippage = fees = 0.0
        for fills, direction in ((self.entries, side), (self.exits, -side)):
            for fill in fills:
                value = fill.amount * fill.price
                gross -= direction * value
                if fill.by_limit:
                    fees += value * market.maker_fee_bps / 10_000.0
                else:
                    slippage += value * slip
                    fees += value * (1.0 + direction * slip) * market.taker_fee_bps / 10_000.0
                    if direction == -side and self.reason == LIQUIDATION:
                        fees += value * market.liquidation_fee_bps / 10_000.0
        borrow = self.stake * market.borrow_bps_per_day / 10_000.0 * (self.exit_ms - entry_ms) / DAY_MS if side < 0 else 0.0
        if side < 0 and gross - slippage - fees - borrow < -self.stake:
            gross = slippage + fees + borrow - self.stake
        return Trade(
            coin=self.coin,
            signal=self.signal,
            entry_ms=entry_ms,
            exit_ms=self.exit_ms,
            side=side,
            reason=self.reason,
            entry_price=self.entry_price,
            exit_price=sum(fill.amount * fill.price for fill in self.exits) / self.amount,
            stake=self.stake,
            gross=gross,
            slippage=slippage,
            fees=fees,
            borrow=borrow,
        )
