"""What a model was trained on."""

from typing import Annotated

from pydantic import Field

from coinfarm.documents import Document, FromDate, ToDate


class Split(Document):
    """One part of the training data: `from_date` is in it, `to_date` is not."""

    from_date: FromDate
    to_date: ToDate
    frames: int


class TrainingData(Document):
    """The training data over all splits; `to_date` is not in it.

    `cutoff_ms` is per symbol the time, in milliseconds UTC, before which a window is in-sample.
    """

    symbols: tuple[str, ...]
    interval: str
    from_date: FromDate
    to_date: ToDate
    cutoff_ms: Annotated[dict[str, int], Field(min_length=1)]
    frames: int
    splits: dict[str, Split]

    def cutoff_of(self, symbol: str) -> int:
        """The symbol's cutoff; the latest of all for other symbols, because coins are correlated."""
        return self.cutoff_ms.get(symbol, max(self.cutoff_ms.values()))
