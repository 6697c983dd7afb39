"""Candles of a longer interval from those of a shorter one, by UTC day."""

from collections.abc import Iterable

import numpy as np

from coinfarm.candles.candles import Candles
from coinfarm.candles.day import Day, by_day, day_of, day_start_ms, slots_per_day
from coinfarm.candles.interval import canonical_interval, interval_ms
from coinfarm.errors import ErrorDetail, InvalidInput
from image_render.windows import Columns


def check_resampling(interval: str, to_interval: str) -> None:
    """Raise `InvalidInput` unless `to_interval` is two or more times `interval`, a whole number of times."""
    step_ms, to_ms = interval_ms(interval), interval_ms(to_interval)
    if to_ms <= step_ms or to_ms % step_ms:
        detail = f"{to_interval} candles cannot be made of {interval} candles: use a multiple of {interval} that divides a day"
        raise InvalidInput(ErrorDetail("/interval", detail))


def resample_day(day: Day, to_interval: str) -> Day:
    """The day in candles of a longer interval, which begin at midnight UTC and every `to_interval` after it.

    A candle has the first open, the highest high, the lowest low, the last close and the sum of the volumes. It is unknown unless all of
    its intervals are known, and missing if there was no trade in any of them. Raises as `check_resampling`.
    """
    check_resampling(day.interval, to_interval)
    shape = slots_per_day(to_interval), slots_per_day(day.interval) // slots_per_day(to_interval)
    traded = day.traded.reshape(shape)
    known = np.asarray(day.known.reshape(shape).all(axis=1))
    complete = np.flatnonzero(known & traded.any(axis=1))
    traded = traded[complete]
    opens, highs, lows, closes, volumes = (column.reshape(shape)[complete] for column in day.values.T)
    rows = np.arange(len(complete))
    first_of_row = np.cumsum(traded.sum(axis=1)) - traded.sum(axis=1)
    values = np.zeros((shape[0], len(Columns._fields)))
    values[complete] = np.column_stack(
        [
            opens[rows, traded.argmax(axis=1)],
            np.where(traded, highs, -np.inf).max(axis=1),
            np.where(traded, lows, np.inf).min(axis=1),
            closes[rows, shape[1] - 1 - traded[:, ::-1].argmax(axis=1)],
            np.add.reduceat(volumes[traded], first_of_row) if len(rows) else rows,  # in the order in which pandas 3 adds
        ]
    )
    is_complete = np.zeros(shape[0], np.bool_)
    is_complete[complete] = True
    return Day(day.symbol, canonical_interval(to_interval), day.day, known, is_complete, values)


def resample(candles: Candles, to_interval: str, start_ms: int | None = None, stop_ms: int | None = None) -> Candles:
    """The complete candles of a longer interval, with their gaps; `candles` must not have filled ones.

    `candles` are all that there are in `[start_ms, stop_ms)`, by default from the first to the last: a longer candle that begins before or
    ends after that is left out. Raises as `check_resampling`.
    """
    check_resampling(candles.interval, to_interval)
    return Candles.concatenate(
        candles.symbol, to_interval, [day.candles for day in _resampled_days(candles, to_interval, start_ms, stop_ms)]
    )


def _resampled_days(candles: Candles, to_interval: str, start_ms: int | None, stop_ms: int | None) -> Iterable[Day]:
    if not len(candles):
        return
    start_ms = int(candles.open_time[0]) if start_ms is None else start_ms
    stop_ms = int(candles.open_time[-1]) + candles.interval_ms if stop_ms is None else stop_ms
    for part in by_day(candles):
        day = day_of(int(part.open_time[0]))
        opens = day_start_ms(day) + np.arange(slots_per_day(candles.interval)) * candles.interval_ms
        yield resample_day(Day.of(part, day, (opens >= start_ms) & (opens < stop_ms)), to_interval)
