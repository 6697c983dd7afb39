"""The geometry of a chart."""

from dataclasses import dataclass

from image_render.preview.style import PADDING
from image_render.spec import FrameSpec


@dataclass(frozen=True)
class Layout:
    """Positions on a chart, in points from its upper left corner. A pixel of the frame has `scale` by `scale` points."""

    spec: FrameSpec
    scale: int

    @property
    def width(self) -> int:
        return PADDING + self.spec.window_candles * self.scale + PADDING

    @property
    def separator_y(self) -> int:
        """The line between prices and volume."""
        return PADDING + self.spec.price_rows * self.scale + PADDING

    @property
    def volume_height(self) -> int:
        """A quarter of the height of the prices, above the bottom border."""
        return max(1, self.spec.price_rows * self.scale // 4)

    @property
    def height(self) -> int:
        return self.separator_y + 1 + PADDING + self.volume_height + 1

    @property
    def bar_width(self) -> int:
        """The width of a body: odd, so that the wick is in the middle, and with a gap to the next one from `scale` 4 on."""
        return self.scale - 1 - self.scale % 2 if self.scale > 3 else self.scale

    def x(self, open_time_ms: int, open_times_ms: tuple[int, int]) -> int:
        """The middle of the candle of a time, given the times of the first and the last candle."""
        first_ms, last_ms = open_times_ms
        candle = (open_time_ms - first_ms) * (self.spec.window_candles - 1) / max(1, last_ms - first_ms)
        return PADDING + round(candle * self.scale) + self.bar_width // 2

    def y(self, price: float, price_range: tuple[float, float]) -> int:
        """The middle of the row of a price, given the lowest and the highest price."""
        lowest, highest = price_range
        top_row = self.spec.price_rows - 1
        row = (price - lowest) * top_row / (highest - lowest) if highest > lowest else self.spec.flat_row
        return PADDING + round((top_row - row) * self.scale) + self.scale // 2
