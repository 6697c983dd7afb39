"""Windows with their targets, all within one period. Candles are stored, frames are rendered on demand."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles
from coinfarm.candles.filled_windows import crosses_gap, filled_counts, is_mostly_filled
from coinfarm.candles.gaps import fill_gaps
from coinfarm.errors import CoinfarmError
from coinfarm.outputs import output_names
from coinfarm.targets import targets_of_horizons_pct
from coinfarm.training.candle_arrays import allocate_array, split_range
from coinfarm.training.config import DateRange, TargetUnit
from image_render.render import Frames, render_frames
from image_render.rows import Rows, pack_rows
from image_render.spec import STANDARD
from image_render.windows import Columns, window_range_pct, windows

_WINDOWS_AT_ONCE = 10_000  # 16 MB a column
_TARGETS_AT_ONCE = 100_000


@dataclass(frozen=True, eq=False)
class WindowDataset:
    """Windows of several series in one period; a series is one coin at one interval.

    `series_index` `(n,)` is the window's series, `starts` `(n,)` the index of its first candle in it. `range_pct` `(n,)` is the window's
    price range and `targets_pct` `(n, outputs)` its targets, of each of the `horizons`, both in percent of its last close.
    """

    series: tuple[Candles, ...]
    series_index: NDArray[np.uint16]
    starts: NDArray[np.int64]
    range_pct: Values
    targets_pct: Values
    horizons: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def output_names(self) -> tuple[str, ...]:
        """The names of the targets."""
        return output_names(self.horizons[1:])

    @property
    def symbols(self) -> NDArray[np.str_]:
        """The coin of each window, `(n,)`."""
        return np.array([series.symbol for series in self.series])[self.series_index]

    @property
    def intervals(self) -> list[str]:
        """The interval of each series."""
        return [series.interval for series in self.series]

    def interval_weights(self, within: Values | None = None) -> Values:
        """A weight for each window, `(n,)`, with which all intervals count the same. Their mean is 1.

        The windows of one interval have weights in proportion to `within` `(n,)`; by default they count the same.
        """
        of_window = np.array(self.intervals)[self.series_index]
        weights = np.ones(len(self)) if within is None else within.astype(np.float64)
        names = np.unique(of_window)
        for name in names:
            here = of_window == name
            weights[here] *= len(self) / len(names) / weights[here].sum()
        return weights

    def every(self, step: int) -> "WindowDataset":
        """Every `step`-th window."""
        chosen = {name: getattr(self, name)[::step] for name in ("series_index", "starts", "range_pct", "targets_pct")}
        return replace(self, **chosen)

    def targets(self, unit: TargetUnit, chosen: slice | NDArray[np.int64] = slice(None)) -> Values:
        """The targets of the chosen windows, `(n, outputs)`, in percent or as shares of the window's range."""
        targets = self.targets_pct[chosen]
        return targets / self.range_pct[chosen, None] if unit == "window_range" else targets

    def target_mean_and_deviation(self, unit: TargetUnit) -> tuple[Values, Values]:
        """Mean and standard deviation of each target, `(outputs,)`, over all windows."""
        parts, zeros = split_range(len(self), _TARGETS_AT_ONCE), np.zeros(self.targets_pct.shape[1])
        mean = sum((self.targets(unit, part).sum(axis=0) for part in parts), zeros) / len(self)
        squares = sum((((self.targets(unit, part) - mean) ** 2).sum(axis=0) for part in parts), zeros)
        return mean, np.sqrt(squares / len(self))

    def windows(self, chosen: NDArray[np.int64]) -> Columns:
        """The candles of the chosen windows, `(n, 200)` each."""
        window = STANDARD.window_candles
        result = Columns(*(np.empty((len(chosen), window)) for _ in Columns._fields))
        for number in np.unique(self.series_index[chosen]):
            here = self.series_index[chosen] == number
            candles = self.starts[chosen[here], None] + np.arange(window)
            for column, values in zip(result, self.series[number].columns, strict=True):
                column[here] = values[candles]
        return result

    def rows(self, chosen: NDArray[np.int64]) -> Rows:
        """The row numbers of the chosen windows' frames, `uint8` `(n, 200, 5)`, from which a device renders them."""
        return pack_rows(self.windows(chosen))

    def frames(self, chosen: NDArray[np.int64]) -> Frames:
        """The frames of the chosen windows, `uint8` `(n, 200, 150, 3)`."""
        return render_frames(self.windows(chosen))


def build_dataset(
    coins: Sequence[Candles], period: DateRange, horizons: tuple[int, ...], stride: int = 1, folder: Path | None = None
) -> WindowDataset:
    """Every `stride`-th window of the coins that is within the period together with its longest horizon.

    No candle of one period is used in another, neither in a frame nor in a target: the windows on both sides of a boundary are separated by
    a purge of a window and the longest horizon. Windows are left out if they or that horizon cross a gap, if more than half of their
    candles are filled, or if they have no price range.
    With a `folder`, which is created, arrays with one entry per window are stored in files there instead of in memory.
    Raises `CoinfarmError` if no window is left.
    """
    horizon_candles = max(horizons)
    series = tuple(_within(coin, period) for coin in coins)
    candidates = [range(0, len(each) - STANDARD.window_candles - horizon_candles + 1, stride) for each in series]
    max_windows = sum(map(len, candidates))
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)

    def array(name: str, shape: tuple[int, ...], dtype: type) -> NDArray[Any]:
        return allocate_array(shape, dtype, None if folder is None else folder / f"{name}.npy")

    series_index, starts = array("series_index", (max_windows,), np.uint16), array("starts", (max_windows,), np.int64)
    range_pct = array("range_pct", (max_windows,), np.float64)
    targets = array("targets_pct", (max_windows, len(output_names(horizons[1:]))), np.float64)
    count = 0
    for number, (each, all_starts) in enumerate(zip(series, candidates, strict=True)):
        for block in split_range(len(all_starts), _WINDOWS_AT_ONCE):
            usable, ranges = _usable(each, all_starts[block], horizon_candles)
            part = slice(count, count + len(usable))
            series_index[part], starts[part], range_pct[part] = number, usable, ranges
            if len(usable):
                targets[part] = _targets_pct(each.columns, usable, horizons)
            count = part.stop
    if not count:
        found = ", ".join(f"{coin.symbol} {coin.interval} has {len(each)} candles" for coin, each in zip(coins, series, strict=True))
        raise CoinfarmError(
            f"from {period.start} up to {period.stop} there is no window of {STANDARD.window_candles} candles with a horizon of "
            f"{horizon_candles}, a price range, no gap, and at least half of its candles ({found}): choose another period, or other candles"
        )
    return WindowDataset(series, series_index[:count], starts[:count], range_pct[:count], targets[:count], horizons)


def _within(coin: Candles, period: DateRange) -> Candles:
    """The candles of the period with gaps filled, from the first real one to the last: none if the series lies elsewhere."""
    candles = coin.between(period.start_ms, period.stop_ms)
    if candles.filled.all():
        return candles[:0]
    # Filled candles at the beginning repeat a close from before the period.
    first, after_last = int(np.argmin(candles.filled)), len(candles) - int(np.argmin(candles.filled[::-1]))
    return fill_gaps(candles[first:after_last])


def _usable(candles: Candles, starts: range, horizon_candles: int) -> tuple[NDArray[np.int64], Values]:
    """The starts of windows that may be used, and their price range in percent."""
    window = STANDARD.window_candles
    needed = candles[starts[0] : starts[-1] + window + horizon_candles]
    first_candles = np.arange(0, starts[-1] - starts[0] + 1, starts.step)
    filled = filled_counts(needed, first_candles, window)
    range_pct = window_range_pct(windows(needed[: len(needed) - horizon_candles].columns, stride=starts.step))
    has_gap = crosses_gap(needed, first_candles, window + horizon_candles)
    usable = ~is_mostly_filled(filled, window) & ~has_gap & (range_pct > 0)
    return np.arange(starts.start, starts.stop, starts.step)[usable], range_pct[usable]


def _targets_pct(series: Columns, starts: NDArray[np.int64], horizons: tuple[int, ...]) -> Values:
    """`targets_of_horizons_pct` of only the candles that these windows, at least one, and their horizons need."""
    first, last = starts[0], STANDARD.window_candles - 1
    needed = slice(first, starts[-1] + last + max(horizons) + 1)
    return targets_of_horizons_pct(Columns(*(column[needed] for column in series)), starts - first + last, horizons)
