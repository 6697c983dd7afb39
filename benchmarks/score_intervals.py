"""How often the 90 % intervals of R² contain the true R², on synthetic days: a part of `make calibrate`.

The logarithm of the volatility is an autoregression from day to day. The rise is predicted from a noisy measure of the volatility, the end
change from a weak signal. The true R² follow from the model.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, pi, sqrt

import numpy as np

from coinfarm.candles.arrays import Values
from coinfarm.candles.day import DAY_MS
from coinfarm.evaluation.score_intervals import ScoreIntervals

FRAMES_PER_DAY = 48
INTERVAL_MS = 60_000
HORIZON_CANDLES = 30
LOG_VOLATILITY = 0.5
"""The standard deviation of the logarithm of the volatility, from day to day."""
_MEASUREMENT_NOISE, _SCALE, _SIGNAL = 0.3, 0.8, 0.2
CELLS = tuple((persistence, days) for persistence in (0.0, 0.7, 0.9) for days in (30, 61, 184, 365))


@dataclass(frozen=True, eq=False)
class Stream:
    """Predictions and actual values of one output, `(n,)` each, in order of time."""

    predicted: Values
    actual: Values

    @property
    def intervals(self) -> ScoreIntervals:
        close_time = np.arange(len(self.actual)) * (DAY_MS // FRAMES_PER_DAY)
        return ScoreIntervals.of(close_time, INTERVAL_MS, HORIZON_CANDLES)


def true_r2() -> dict[str, float]:
    """Of an infinitely long stream."""
    mean, square = exp(LOG_VOLATILITY**2 / 2), exp(2 * LOG_VOLATILITY**2)
    of_half_normal = sqrt(2 / pi)
    predicted, predicted_square = _SCALE * exp(_MEASUREMENT_NOISE**2 / 2), _SCALE**2 * exp(2 * _MEASUREMENT_NOISE**2)
    errors = square * (1 - 2 * of_half_normal * predicted + predicted_square)
    return {"rise": 1 - errors / (square - (mean * of_half_normal) ** 2), "end": 1 - 1 / (1 + _SIGNAL**2)}


def streams(random: np.random.Generator, persistence: float, days: int) -> dict[str, Stream]:
    """A stream of the rise, and one of the end change."""
    shocks = LOG_VOLATILITY * random.normal(size=days)
    log_volatility = np.empty(days)
    before = shocks[0]
    for day in range(days):
        before = shocks[0] if not day else persistence * before + sqrt(1 - persistence**2) * shocks[day]
        log_volatility[day] = before
    volatility = np.repeat(np.exp(log_volatility), FRAMES_PER_DAY)
    moves, noise, signal, rest = random.normal(size=(4, len(volatility)))
    signal *= _SIGNAL
    return {
        "rise": Stream(_SCALE * volatility * np.exp(_MEASUREMENT_NOISE * noise), volatility * np.abs(moves)),
        "end": Stream(volatility * signal, volatility * (signal + rest)),
    }


def true_blocks(persistence: float, days: int) -> float:
    """The number of independent days that the days are worth."""
    return days * (1 - persistence) / (1 + persistence)


def coverage(persistence: float, days: int, count: int, seed: int) -> Iterator[tuple[str, float, float, float]]:
    """Output, share of streams with an interval, share of these intervals with the true R², and their relative width.

    The width is the median, relative to that of an interval from the true distribution of the estimates.
    """
    random = np.random.default_rng(seed)
    truth = true_r2()
    found: dict[str, list[tuple[float, float] | None]] = {name: [] for name in truth}
    r2: dict[str, list[float]] = {name: [] for name in truth}
    for _ in range(count):
        for name, stream in streams(random, persistence, days).items():
            found[name].append(stream.intervals.of_unexplained_share(stream.predicted, stream.actual).bounds)
            r2[name].append(
                1 - float(((stream.actual - stream.predicted) ** 2).sum() / ((stream.actual - stream.actual.mean()) ** 2).sum())
            )
    for name, bounds in found.items():
        known = np.array([each for each in bounds if each is not None]).reshape(-1, 2)
        covered = (known[:, 0] <= 1 - truth[name]) & (1 - truth[name] <= known[:, 1])
        width = np.median(known[:, 1] - known[:, 0]) / float(np.diff(np.quantile(r2[name], [0.05, 0.95]))[0]) if len(known) else np.nan
        yield name, len(known) / count, float(covered.mean()) if len(known) else float("nan"), float(width)


def key_of(persistence: float, days: int) -> str:
    """The name of a cell."""
    return f"R²; persistence {persistence:g}; {days} days"


def cell_documents(persistence: float, days: int, count: int, seed: int) -> list[dict[str, object]]:
    """The coverage of a cell as JSON, one document per output."""
    return [
        {"output": name, "persistence": persistence, "days": days, "blocks": true_blocks(persistence, days), "streams": count}
        | {"with_interval": given, "coverage": covered, "width": width}
        for name, given, covered, width in coverage(persistence, days, count, seed)
    ]
