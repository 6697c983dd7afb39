"""The period that is tested."""

from dataclasses import dataclass

from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.candles.day import DAY_MS


@dataclass(frozen=True)
class BacktestPeriod:
    """The period that is tested, `[start_ms, stop_ms)`."""

    start_ms: int
    stop_ms: int

    @property
    def days(self) -> float:
        return (self.stop_ms - self.start_ms) / DAY_MS

    @property
    def first_day(self) -> int:
        """The first UTC day, counted from 1970."""
        return self.start_ms // DAY_MS

    @property
    def utc_days(self) -> int:
        """The number of UTC days that the period touches."""
        return max(1, -(-self.stop_ms // DAY_MS) - self.first_day)


def period_of(coins: list[PredictedCoin], horizon_candles: int) -> BacktestPeriod:
    """From the first prediction of the coins to the end of the last one's horizon."""
    times = [coin.signal_ms for coin in coins if len(coin)]
    step_ms = coins[0].candles.interval_ms
    return BacktestPeriod(min(int(time[0]) for time in times), max(int(time[-1]) for time in times) + (1 + horizon_candles) * step_ms)
