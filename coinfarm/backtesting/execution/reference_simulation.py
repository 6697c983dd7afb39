"""A slow but simple simulation, candle by candle: the reference that the tests compare `coinfarm.backtesting.execution.simulation` with."""

from collections.abc import Sequence

from coinfarm.backtesting.execution.market import Market
from coinfarm.backtesting.execution.orders import Orders
from coinfarm.backtesting.execution.position_schedule import ONE_PER_COIN, PositionLimits
from coinfarm.backtesting.execution.reference_market import ReferenceMarket
from coinfarm.backtesting.execution.reference_position import ReferencePosition
from coinfarm.backtesting.execution.trades import Trade, Trades
from coinfarm.candles.candles import Candles


def simulate_by_candle(
    symbols: tuple[str, ...],
    candles: Sequence[Candles],
    orders: Sequence[Orders],
    market: Market,
    limits: PositionLimits = ONE_PER_COIN,
) -> Trades:
    """The trades of `orders`, with one `Orders` for each of `candles`; the same as `fill_orders` and `simulate_trades`.

    An order that may end after the last candle is left out, so that every position is closed in the end.
    """
    coins = [ReferenceMarket(each, market.for_coin(each.symbol)) for each in candles]
    times = sorted({int(time) for each in candles for time in each.open_time})
    index = [{int(time): at for at, time in enumerate(each.open_time)} for each in candles]
    rows = [{int(signal): row for row, signal in enumerate(each.signal)} for each in orders]
    positions: list[ReferencePosition] = []
    trades: list[Trade] = []
    for time in times:
        # Within the candles of this time, orders are filled or cancelled, and positions end.
        for position in positions:
            if time in index[position.coin]:
                position.advance(index[position.coin][time])
        trades += [position.trade() for position in positions if position.is_closed]
        positions = [position for position in positions if not position.is_closed and not position.is_cancelled]
        # At their close, new orders are placed.
        for coin, each in enumerate(coins):
            at = index[coin].get(time)
            if at is not None and at in rows[coin]:
                placed = ReferencePosition.place(coin, each, orders[coin], rows[coin][at])
                if placed is not None and _is_within(limits, placed, positions, len(coins)):
                    positions.append(placed)
    return Trades.from_rows(symbols, trades)


def _is_within(limits: PositionLimits, placed: ReferencePosition, positions: list[ReferencePosition], coins: int) -> bool:
    """Whether the limits allow one more position."""
    same_coin = [position for position in positions if position.coin == placed.coin]
    total = coins * limits.per_coin if limits.total is None else limits.total
    if len(same_coin) >= limits.per_coin or len(positions) >= total:
        return False
    for others, exposure in ((same_coin, limits.coin_exposure), (positions, limits.total_exposure)):
        if exposure is not None and placed.stake + sum(position.stake for position in others) > exposure * (1.0 + 1e-9):
            return False
    return True
