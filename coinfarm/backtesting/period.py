"""The period that is tested."""

from dataclasses import dataclass

from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.candles.day import DAY_MS


@dataclass(frozen=True)
class BacktestPeriod:
    """The period that is tested, `[start_ms, stop_ms)`, and the longest time that a position is held."""

    start_ms: int
    stop_ms: int
    horizon_ms: int

    @property
    def days(self) -> float:
        return (self.stop_ms - self.start_ms) / DAY_MS

    @property
    def block_ms(self) -> int:
        """The length of a bootstrap block: at least a day, so that hours of a day stay together, and two horizons."""
        return max(DAY_MS, 2 * self.horizon_ms)

    @property
    def blocks(self) -> float:
        return (self.stop_ms - self.start_ms) / self.block_ms


def period_of(coins: list[PredictedCoin], horizon_candles: int) -> BacktestPeriod:
    """From the first prediction of the coins to the end of the last one's horizon."""
    times = [coin.signal_ms for coin in coins if len(coin)]
    step_ms = coins[0].candles.interval_ms
    horizon_ms = horizon_candles * step_ms
    return BacktestPeriod(min(int(time[0]) for time in times), max(int(time[-1]) for time in times) + step_ms + horizon_ms, horizon_ms)
