"""Orders as columns."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from coinfarm.backtesting.predicted_coin import Indices, Mask
from coinfarm.candles.arrays import Values


@dataclass(frozen=True, eq=False)
class Orders:
    """Entry orders of one coin with their exit orders, every column `(n,)`, in order of time.

    `signal` is the index of the candle at whose close the order is placed; `side` is 1 (long) or -1 (short). `stop_pct` and `take_pct` are
    the distances of stop and take-profit from the entry price, in percent of it, infinite if there is none. The position is closed after
    `hold` candles at the latest. `stake` is the amount wanted, in the quote currency. `limit_price` is the price of limit orders, and
    `valid_candles` the number of candles after which those are cancelled; without it, all are market orders for the next candle.
    """

    signal: Indices
    side: NDArray[np.int8]
    stop_pct: Values
    take_pct: Values
    hold: Indices
    stake: Values
    limit_price: Values | None = None
    valid_candles: int = 1

    def __len__(self) -> int:
        return len(self.signal)

    def rows(self, chosen: Mask | Indices | slice) -> "Orders":
        return Orders(
            self.signal[chosen],
            self.side[chosen],
            self.stop_pct[chosen],
            self.take_pct[chosen],
            self.hold[chosen],
            self.stake[chosen],
            None if self.limit_price is None else self.limit_price[chosen],
            self.valid_candles,
        )

    def with_stake(self, stake: Values) -> "Orders":
        """The same orders with other stakes."""
        return replace(self, stake=stake)


def merge_orders(parts: "list[Orders]") -> Orders:
    """The orders of one coin in order of time; all are market orders, or all limit orders valid for the same time."""
    joined = join_orders(parts)
    return joined.rows(np.argsort(joined.signal, kind="stable"))


def join_orders(parts: "list[Orders]") -> Orders:
    """Likewise, one part after the other."""
    limits = [part.limit_price for part in parts if part.limit_price is not None]
    return Orders(
        np.concatenate([part.signal for part in parts]),
        np.concatenate([part.side for part in parts]),
        np.concatenate([part.stop_pct for part in parts]),
        np.concatenate([part.take_pct for part in parts]),
        np.concatenate([part.hold for part in parts]),
        np.concatenate([part.stake for part in parts]),
        np.concatenate(limits) if limits else None,
        parts[0].valid_candles,
    )
