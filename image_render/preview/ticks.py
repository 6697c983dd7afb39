"""Round prices and times for axes."""

import math
from datetime import UTC, datetime

_MINUTE_MS = 60_000
_DAY_MS = 1_440 * _MINUTE_MS
_TIME_STEPS_MS = tuple(minutes * _MINUTE_MS for minutes in (1, 5, 15, 30, 60, 120, 240, 720)) + tuple(
    days * _DAY_MS for days in (1, 2, 5, 10, 30, 90, 365)
)


def price_ticks(lowest: float, highest: float, max_steps: int = 8) -> list[tuple[float, str]]:
    """Round prices from `lowest` to `highest`, ascending, in at most `max_steps` steps, each with its label.

    A range too narrow for round prices in float64, or an empty one, has one tick: its lowest price.
    """
    smallest_step = (highest - lowest) / max_steps
    if smallest_step <= math.ulp(highest):
        return [(lowest, f"{lowest:,.10g}")]
    exponent = math.floor(math.log10(smallest_step))
    step = next(step for digit in (1, 2, 5, 10) if (step := digit * 10.0**exponent) >= smallest_step)
    decimals = max(0, -math.floor(math.log10(step)))
    numbers = range(math.ceil(lowest / step), math.floor(highest / step) + 1)
    return [(number * step, f"{number * step:,.{decimals}f}") for number in numbers]


def time_ticks(first_ms: int, last_ms: int, max_steps: int = 8) -> list[tuple[int, str]]:
    """Round times from `first_ms` to `last_ms` (milliseconds UTC), in at most `max_steps` steps, each with its label.

    A label is the time of day, or at midnight the date.
    """
    step = next((step for step in _TIME_STEPS_MS if last_ms - first_ms <= max_steps * step), _TIME_STEPS_MS[-1])
    first_tick = -(-first_ms // step) * step
    return [(tick, _time_label(tick)) for tick in range(first_tick, last_ms + 1, step)]


def _time_label(time_ms: int) -> str:
    time = datetime.fromtimestamp(time_ms / 1000, UTC)
    return f"{time:%Y-%m-%d}" if time_ms % _DAY_MS == 0 else f"{time:%H:%M}"
