"""A slow but simple simulation, candle by candle: the reference that the tests compare `coinfarm.backtesting.simulation` with."""

from collections.abc import Sequence
from dataclasses import dataclass

from coinfarm.backtesting.orders import Orders
from coinfarm.backtesting.strategy import Market
from coinfarm.backtesting.trades import HORIZON, STOP, TAKE_PROFIT, Trade, Trades
from coinfarm.candles.candles import Candles


@dataclass
class _Position:
    coin: int
    signal: int
    entry_at: int
    side: int
    stop_price: float
    take_price: float
    due: int
    stake: float
    entry_price: float


def simulate_by_candle(
    symbols: tuple[str, ...],
    coins: Sequence[Candles],
    orders: Sequence[Orders],
    market: Market,
    positions_per_coin: int = 1,
    max_positions: int | None = None,
) -> Trades:
    """The trades of `orders`, with one `Orders` for each of `coins`; the same as `fill_orders` and `simulate_trades`.

    An order whose horizon ends after the last candle is left out, so that every position is closed in the end.
    """
    times = sorted({int(time) for candles in coins for time in candles.open_time})
    index = [{int(time): at for at, time in enumerate(candles.open_time)} for candles in coins]
    rows = [{int(signal): at for at, signal in enumerate(each.signal)} for each in orders]
    open_positions: list[_Position] = []
    trades: list[Trade] = []
    limit = len(coins) * positions_per_coin if max_positions is None else max_positions
    for time in times:
        # Within the candles of this time, positions end.
        still_open = []
        for position in open_positions:
            candles = coins[position.coin]
            at = index[position.coin].get(time)
            trade = None if at is None or at < position.entry_at else _end_of(position, candles, at, market)
            if trade is None:
                still_open.append(position)
            else:
                trades.append(trade)
        open_positions = still_open
        # At their close, new orders are placed, which are filled at the next candle's open.
        for coin, candles in enumerate(coins):
            at = index[coin].get(time)
            if at is None or at not in rows[coin]:
                continue
            entered = _entry(coin, candles, orders[coin], rows[coin][at], at, market)
            if entered is None or not _ends_within(entered, candles):
                continue
            if sum(position.coin == coin for position in open_positions) >= positions_per_coin or len(open_positions) >= limit:
                continue
            open_positions.append(entered)
    return Trades.from_rows(symbols, trades)


def _entry(coin: int, candles: Candles, orders: Orders, row: int, at: int, market: Market) -> _Position | None:
    if at + 1 >= len(candles) or candles.filled[at + 1]:
        return None
    entry_price = float(candles.columns.open[at + 1])
    stake = min(float(orders.stake[row]), market.volume_share_pct / 100.0 * float(candles.columns.volume[at + 1]) * entry_price)
    if stake <= 0 or stake < market.min_order:
        return None
    side = int(orders.side[row])
    return _Position(
        coin,
        at,
        at + 1,
        side,
        entry_price * (1.0 - side * float(orders.stop_pct[row]) / 100.0),
        entry_price * (1.0 + side * float(orders.take_pct[row]) / 100.0),
        at + 1 + int(orders.hold[row]),
        stake,
        entry_price,
    )


def _ends_within(position: _Position, candles: Candles) -> bool:
    return any(not candles.filled[at] for at in range(position.due, len(candles)))


def _end_of(position: _Position, candles: Candles, at: int, market: Market) -> Trade | None:
    """The trade if the position ends in the candle `at`."""
    if candles.filled[at]:
        return None
    columns = candles.columns
    open_price, high, low = float(columns.open[at]), float(columns.high[at]), float(columns.low[at])
    if at >= position.due:
        return _trade(position, candles, at, open_price, HORIZON, market)
    if position.side > 0:
        stopped, taken = low <= position.stop_price, high > position.take_price
        stop_fill = min(open_price, position.stop_price)
    else:
        stopped, taken = high >= position.stop_price, low < position.take_price
        stop_fill = max(open_price, position.stop_price)
    if stopped:
        return _trade(position, candles, at, stop_fill, STOP, market)
    if taken:
        return _trade(position, candles, at, position.take_price, TAKE_PROFIT, market)
    return None


def _trade(position: _Position, candles: Candles, at: int, exit_price: float, reason: int, market: Market) -> Trade:
    side, amount = position.side, position.stake / position.entry_price
    slip = market.slippage_bps / 10_000.0
    entry_fill = position.entry_price * (1.0 + side * slip)
    if reason == TAKE_PROFIT:
        exit_fill, exit_fee_bps = exit_price, market.maker_fee_bps
    else:
        exit_fill, exit_fee_bps = exit_price * (1.0 - side * slip), market.taker_fee_bps
    gross = side * amount * (exit_price - position.entry_price)
    fees = amount * (entry_fill * market.taker_fee_bps + exit_fill * exit_fee_bps) / 10_000.0
    return Trade(
        coin=position.coin,
        signal=position.signal,
        entry_ms=int(candles.open_time[position.entry_at]),
        exit_ms=int(candles.open_time[at]) + (0 if reason == HORIZON else candles.interval_ms),
        side=side,
        reason=reason,
        entry_price=position.entry_price,
        exit_price=exit_price,
        stake=position.stake,
        gross=gross,
        slippage=gross - side * amount * (exit_fill - entry_fill),
        fees=fees,
    )
