"""One coin's market for the reference simulation: candles, and what is known at their close, in plain numbers."""

from math import sqrt
from statistics import fmean, median
from typing import NamedTuple

from coinfarm.backtesting.execution.market import Market
from coinfarm.candles.candles import Candles


class ReferenceCandle(NamedTuple):
    """One candle."""

    open_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    has_trades: bool

    def best(self, side: int) -> float:
        """The best price for a seller of a long position, or a buyer of a short one."""
        return self.high if side > 0 else self.low

    def worst(self, side: int) -> float:
        """The worst price for a seller of a long position, or a buyer of a short one."""
        return self.low if side > 0 else self.high


class ReferenceMarket:
    """The candles of one coin and its costs."""

    def __init__(self, candles: Candles, market: Market) -> None:
        self.market, self.interval_ms = market, candles.interval_ms
        self.candles = [
            ReferenceCandle(int(open_ms), float(first), float(high), float(low), float(close), float(volume), not filled and volume > 0)
            for open_ms, (first, high, low, close, volume), filled in zip(
                candles.open_time, zip(*candles.columns, strict=True), candles.filled, strict=True
            )
        ]
        traded = [at for at, candle in enumerate(self.candles) if candle.has_trades]
        self.last_traded = traded[-1] if traded else -1

    def room(self, at: int) -> float:
        """The amount that one order can be filled with in a candle."""
        return self.market.volume_share_pct / 100.0 * self.candles[at].volume

    def usual_volume(self, at: int) -> float:
        """The median volume of a candle, in the quote currency, known at the close of candle `at`."""
        return median(candle.volume * candle.close if candle.has_trades else 0.0 for candle in self._trailing(at))

    def slippage(self, at: int, stake: float) -> float:
        """As a share of the price, known at the close of candle `at`."""
        ranges = [1e4 * (candle.high - candle.low) / candle.close for candle in self._trailing(at) if candle.has_trades]
        volatility = fmean(ranges) if ranges else 0.0
        impact = sqrt(stake / self.usual_volume(at))
        market = self.market
        return (market.slippage_bps + market.volatility_slippage * volatility + market.size_slippage_bps * impact) / 10_000.0

    def _trailing(self, at: int) -> list[ReferenceCandle]:
        return self.candles[max(0, at + 1 - self.market.trailing_candles) : at + 1]
