"""What is replayed: candles, models, and when what goes wrong."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.reference import reference_bundle
from benchmarks.soak.scaled_models import scaled_model
from coinfarm.candle_store.store import CandleStore
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import DAY_MS, by_day, day_of, day_start_ms
from coinfarm.candles.synthetic import generate
from coinfarm.models.publish import publish
from coinfarm.storage import Storage
from tests.support.live_exchange import Faults
from tests.support.synthetic_candles import MINUTE_MS, without

HISTORY_MINUTES = 400
"""Before the replay, so that the first window is complete."""
START_MS = 1_767_225_600_000
SYMBOLS = ("BTC/USDT", "ETH/USDT", "LTC/USDT")
_QUIET_SHARE = 0.002
"""Minutes without a trade."""
_UNSENT_SHARE = 0.002
"""Closed candles that the websocket does not send."""
_DISCONNECT_EVERY_MINUTES = 97
FIRST_SWAP, KILL, SECOND_SWAP = 0.25, 0.4, 0.55
"""Shares of the replay. After the last of them, the second process runs undisturbed enough for its memory to be flat."""


@dataclass(frozen=True)
class Scenario:
    """`minutes` are replayed `speed` times as fast as time."""

    minutes: int
    speed: float
    seed: int

    @property
    def start_ms(self) -> int:
        """The time of the exchange's clock when the replay begins, in the middle of a minute."""
        return START_MS + HISTORY_MINUTES * MINUTE_MS + MINUTE_MS // 2

    @property
    def stop_ms(self) -> int:
        return START_MS + (HISTORY_MINUTES + self.minutes) * MINUTE_MS

    def time_at(self, share: float) -> int:
        return int(self.start_ms + share * (self.stop_ms - self.start_ms))

    def candles(self) -> dict[str, Candles]:
        """Synthetic candles of each symbol, with some minutes more than are replayed."""
        count, random = HISTORY_MINUTES + self.minutes + 60, np.random.default_rng(self.seed)
        found = {}
        for number, symbol in enumerate(map(stored_symbol, SYMBOLS)):
            quiet = np.flatnonzero(random.random(count) < _QUIET_SHARE)
            made = without(generate("DEMO", "1m", START_MS, count, self.seed + number), quiet[quiet > 0].tolist())
            found[symbol] = Candles(symbol, "1m", made.open_time, made.columns, made.filled)
        return found

    def faults(self) -> Faults:
        random = np.random.default_rng(self.seed + 100)
        times = range(START_MS + HISTORY_MINUTES * MINUTE_MS, self.stop_ms, MINUTE_MS)
        unsent = {(stored_symbol(symbol), time) for symbol in SYMBOLS for time in times if random.random() < _UNSENT_SHARE}
        every_ms = min(_DISCONNECT_EVERY_MINUTES, self.minutes // 3) * MINUTE_MS
        return Faults(disconnects=list(range(self.start_ms + every_ms // 2, self.stop_ms, every_ms)), unsent=unsent)


def publish_versions(storage: Storage, folder: Path) -> tuple[str, str]:
    """Publish the reference model, and a version with other predictions."""
    reference = reference_bundle()
    return publish(storage, reference), publish(storage, scaled_model(reference, folder, 0.5))


def store_candles(store: CandleStore, candles: dict[str, Candles]) -> None:
    """Store what the exchange has, for a backfill."""
    for each in candles.values():
        for day in by_day(each):
            last = int(each.open_time[-1]) + MINUTE_MS
            store.write_day(day, known_to_ms=min(last, day_start_ms(day_of(int(day.open_time[0]))) + DAY_MS))


def stored_symbol(symbol: str) -> str:
    return symbol.replace("/", "")
