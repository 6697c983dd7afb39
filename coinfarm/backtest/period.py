"""The time that is judged."""

from dataclasses import dataclass

from coinfarm.backtest.coin import Coin

DAY_MS = 86_400_000


@dataclass(frozen=True)
class Period:
    """The time that is judged, `[start_ms, stop_ms)`, and for how long at most one prediction binds a position."""

    start_ms: int
    stop_ms: int
    horizon_ms: int

    @property
    def days(self) -> float:
        return (self.stop_ms - self.start_ms) / DAY_MS

    @property
    def block_ms(self) -> int:
        """What is resampled in one piece: at least a day, so that hours stay with their hours, and two horizons."""
        return max(DAY_MS, 2 * self.horizon_ms)

    @property
    def blocks(self) -> float:
        return (self.stop_ms - self.start_ms) / self.block_ms


def period_of(coins: list[Coin], horizon_candles: int) -> Period:
    """From the first to the last prediction of the coins, with its horizon."""
    times = [coin.signal_ms for coin in coins if len(coin)]
    step_ms = coins[0].candles.interval_ms
    horizon_ms = horizon_candles * step_ms
    return Period(min(int(time[0]) for time in times), max(int(time[-1]) for time in times) + step_ms + horizon_ms, horizon_ms)
