"""What a model was trained on."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from coinfarm.candles.day import day_start_ms
from coinfarm.candles.interval import AnyInterval, listed_intervals
from coinfarm.candles.symbol import same_coin
from coinfarm.documents import Document, FromDate, ToDate


class Split(Document):
    """One part of the training data: `from_date` is in it, `to_date` is not."""

    from_date: FromDate
    to_date: ToDate
    frames: int


class TrainedSeries(Document):
    """The candles of one symbol and interval that a model has learnt from: those of the days `[from_date, to_date)`."""

    symbol: str
    interval: AnyInterval
    from_date: FromDate
    to_date: ToDate


class TrainingData(Document):
    """The training data over all splits; `to_date` is not in it.

    `interval` has all intervals, separated by commas. `cutoff_ms` is per symbol the time, in milliseconds UTC, before which a window is
    in-sample. `series` lists what was learnt per symbol and interval; manifests of earlier versions do not have it.
    """

    symbols: tuple[str, ...]
    interval: str
    from_date: FromDate
    to_date: ToDate
    cutoff_ms: Annotated[dict[str, int], Field(min_length=1)]
    frames: int
    splits: dict[str, Split]
    series: tuple[TrainedSeries, ...] | None = None

    @property
    def intervals(self) -> tuple[str, ...]:
        """The intervals of the training candles, from the shortest to the longest."""
        return listed_intervals(",".join(each.interval for each in self.series) if self.series else self.interval)

    def cutoff_of(self, symbol: str) -> int:
        """The time, in milliseconds UTC, before which a window of the symbol is in-sample, at any interval.

        An hour of a period that was learnt in minutes is in-sample too, and so is a minute of one that was learnt in hours. The same coin
        on another exchange, against another dollar or as a future has the same cutoff; other coins have the latest of all, because coins
        are correlated.
        """
        cutoffs = list(self._cutoffs())
        own = [cutoff_ms for learnt, cutoff_ms in cutoffs if same_coin(learnt, symbol)]
        return max(own or [cutoff_ms for _, cutoff_ms in cutoffs])

    def _cutoffs(self) -> Iterator[tuple[str, int]]:
        yield from self.cutoff_ms.items()
        for each in self.series or ():
            yield each.symbol, day_start_ms(each.to_date)
