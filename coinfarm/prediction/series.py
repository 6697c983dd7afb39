"""The input of the predictor: windows over candles without gaps."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from coinfarm.candles.candles import Candles
from coinfarm.errors import CandleError, ErrorDetail
from image_render.spec import STANDARD
from image_render.windows import window_count


@dataclass(frozen=True)
class Series:
    """Candles without gaps (`coinfarm.candles.gaps.fill_gaps`), of which every `stride`-th window is predicted."""

    candles: Candles
    stride: int = 1

    def __post_init__(self) -> None:
        if len(self.candles) < STANDARD.window_candles:
            raise CandleError(
                ErrorDetail(
                    "/candles",
                    f"{len(self.candles)} candles are too few: a prediction needs {STANDARD.window_candles} consecutive ones",
                )
            )

    def __len__(self) -> int:
        return window_count(len(self.candles), STANDARD, self.stride)

    def missing_note(self, remedy: str) -> str | None:
        """What to tell a user if more than half of the candles are missing; `remedy` is the option that skips gaps."""
        missing_share = float(self.candles.filled.mean())
        if missing_share <= 0.5:
            return None
        return (
            f"{100 * missing_share:.0f} % of the candles are missing, and a window of which more than half is missing has no prediction. "
            f"If the market closes at night or at weekends, try {remedy}."
        )

    def last(self, count: int) -> "Series":
        """The last `count` windows, or all if there are fewer."""
        return replace(self, candles=self.candles[max(0, len(self) - count) * self.stride :])

    def parts(self, count: int) -> "Iterator[Series]":
        """Split into series of at most `count` windows, in order."""
        for first in range(0, len(self), count):
            last = min(first + count, len(self)) - 1
            yield replace(self, candles=self.candles[first * self.stride : last * self.stride + STANDARD.window_candles])
