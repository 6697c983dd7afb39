"""Candles of longer intervals in a store, made of stored ones of a shorter interval."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from coinfarm.candle_store.store import CandleStore, WriteOutcome
from coinfarm.candles.day import Day
from coinfarm.candles.interval import canonical_interval, canonical_intervals
from coinfarm.candles.resampled_candles import check_resampling, resample_day
from coinfarm.candles.symbol import canonical_symbol
from coinfarm.errors import CandleError, Conflict, NotFound


@dataclass
class ResampledSeries:
    """The outcome for one symbol and longer interval: complete candles, and days by write outcome."""

    symbol: str
    interval: str
    from_interval: str
    candles: int = 0
    incomplete: int = 0
    """Candles that are left out because a part of their time is unknown, such as an unfinished last one."""
    days: Counter[WriteOutcome] = field(default_factory=Counter)
    rejected: list[tuple[date, str]] = field(default_factory=list)
    """Days for which other candles are stored, and the reason."""

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "symbol": self.symbol,
            "interval": self.interval,
            "fromInterval": self.from_interval,
            "candles": self.candles,
            "incomplete": self.incomplete,
            "days": {str(written): self.days[written] for written in WriteOutcome},
            "refused": [{"date": str(day), "detail": detail} for day, detail in self.rejected],
        }


def resample_store(
    store: CandleStore,
    symbols: Sequence[str],
    from_interval: str,
    to_intervals: Sequence[str],
    *,
    replace: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[ResampledSeries]:
    """Store the complete candles of each longer interval of each symbol, day by day; one day is in memory at a time.

    Every day is computed again, so a call after an interruption continues, and one after new candles adds them. Days that differ from the
    stored ones are rejected, unless `replace`. `progress` is called with the number of days done and in total.

    Raises `InvalidInput` for an interval that is not a multiple, `NotFound` for a symbol without candles, and `CandleError` for a damaged
    day.
    """
    from_interval, to_intervals = canonical_interval(from_interval), canonical_intervals(to_intervals)
    for interval in to_intervals:
        check_resampling(from_interval, interval)
    names = list(dict.fromkeys(map(canonical_symbol, symbols)))
    days = {symbol: store.days(symbol, from_interval) for symbol in names}
    for symbol in names:
        if not days[symbol]:
            raise NotFound(f"{store.root} has no {from_interval} candles of {symbol}; {store.contents()}")
    done, total, outcomes = 0, sum(map(len, days.values())), []
    with ThreadPoolExecutor(len(to_intervals), thread_name_prefix="resample") as pool:
        for symbol in names:
            series = [ResampledSeries(symbol, interval, from_interval) for interval in to_intervals]
            outcomes += series
            for day in store.read_each_day(symbol, from_interval, days[symbol]):
                list(pool.map(lambda each, day=day: _store_day(store, each, day, replace), series))
                done += 1
                progress(done, total)
    return outcomes


def _store_day(store: CandleStore, outcome: ResampledSeries, day: Day, replace: bool) -> None:
    resampled = resample_day(day, outcome.interval)
    outcome.candles += int(resampled.traded.sum())
    outcome.incomplete += int((~resampled.known).sum())
    if not resampled.traded.any():
        return
    try:
        outcome.days[store.write(resampled, replace=replace)] += 1
    except (CandleError, Conflict) as error:
        outcome.rejected.append((day.day, str(error)))
