"""The geometry of a frame."""

from dataclasses import dataclass

VERSION = 1
"""Incremented when the same candles are rendered differently."""

BODY, WICK, VOLUME = range(3)
CHANNEL_COUNT = 3


@dataclass(frozen=True)
class FrameSpec:
    """The number of candles of a window and of price rows of its image.

    A frame is `uint8`, 0 or 1, of shape `(window_candles, price_rows, 3)`: axis 0 the candle, oldest first;
    axis 1 the price row, 0 the lowest; axis 2 the channel: `BODY` (open to close), `WICK` (low to high), `VOLUME`.
    """

    window_candles: int = 200
    price_rows: int = 150

    def __post_init__(self) -> None:
        if self.window_candles < 1 or self.price_rows < 2:
            raise ValueError(f"a frame needs at least 1 candle and 2 price rows, not {self}")

    @property
    def shape(self) -> tuple[int, int, int]:
        """`(window_candles, price_rows, channels)`."""
        return self.window_candles, self.price_rows, CHANNEL_COUNT

    @property
    def flat_row(self) -> int:
        """The row of all prices of a window without a price range: the middle."""
        return (self.price_rows - 1) // 2


STANDARD = FrameSpec()
