"""Signs that predictions contain what happened after them. Every backtest looks for them.

Three kinds of leak are found, each by what honest predictions cannot do:

- rows that equal the outcome exactly;
- predictions of later windows: they are related to the next candles, whose direction and range their window contained, and to no other;
- a share of the outcome in every prediction: the outcome's path (how high the price rises *and* how low it falls, given where it ends)
  cannot be known beyond the window's features. Nor can the end change, beyond a small correlation.

The limits are far above what honest models reach on real candles, and far below what leaks cause: `benchmarks/leaks.py` measures both.
"""

from collections.abc import Sequence

import numpy as np

from coinfarm.backtesting.checks.leak_statistics import FutureKnowledge, Relation
from coinfarm.backtesting.predicted_coin import Mask, PredictedCoin
from coinfarm.candles.arrays import Values
from coinfarm.reports.formatting import minute_text, plural_text
from coinfarm.targets import targets_pct

MAX_SHIFT = 5
"""In candles."""
_NEXT_LAGS = 3
_MAX_DROP, _DROP_DEVIATIONS = 0.05, 4.0
"""Of correlations, from one candle after the signal to the next, for direction and range each. Honest: 0.03; shifted: 0.09 or more."""
_MAX_DIRECTION_DROP = 0.15
"""For predictions whose range says nothing, such as a constant one."""
_MAX_PATH, _MAX_END, _DEVIATIONS = 0.12, 0.3, 5.0
"""Correlations with the outcome's path and end change. Honest: 0.06 and 0.09; with 5 % of the outcome: 0.6 and 0.5 or more."""
_PRECISION_PCT, _RELATIVE_PRECISION = 2e-5, 2e-6
"""The precision of outcomes that are computed with 32-bit numbers."""
_MIN_EQUAL, _EQUAL_TO_CHANCE = 5, 10


def find_leaks(coins: Sequence[PredictedCoin], horizon_candles: int) -> tuple[str, ...]:
    """A sentence for each sign of a leak; empty for predictions without any. `horizon_candles` is what the predictions are about."""
    found = []
    equal = [equal_rows(coin, horizon_candles) for coin in coins]
    count = sum(int(rows.sum()) for rows in equal)
    if count:
        coin, rows = next((coin, rows) for coin, rows in zip(coins, equal, strict=True) if rows.any())
        found.append(
            f"Leak: {count:,} predictions equal what happened after them in all three outputs; the first is {coin.symbol} at "
            f"{minute_text(int(coin.signal_ms[rows.argmax()]))}."
        )
        coins = [coin.rows(~rows) for coin, rows in zip(coins, equal, strict=True)]
    knowledge = FutureKnowledge.of(coins, horizon_candles, MAX_SHIFT + _NEXT_LAGS)
    if knowledge is None:
        return tuple(found)
    shift = known_candles(knowledge, horizon_candles)
    if shift:
        found.append(
            f"Leak: the predictions know the next {plural_text(shift, 'candle')} after their window: their relation to direction and range "
            f"ends there. Is each prediction {plural_text(shift, 'candle')} too early?"
        )
    elif knows_outcome(knowledge):
        end, path = end_relation(knowledge), path_relation(knowledge)
        found.append(
            "Leak: the predictions contain the outcome: beyond what their windows explain, they have a correlation of "
            f"{end.value:.2f} with the end change and of {path.value:.2f} with the path to it; honest models stay below {_MAX_END:g} and "
            f"{_MAX_PATH:g}."
        )
    return tuple(found)


def equal_rows(coin: PredictedCoin, horizon_candles: int) -> Mask:
    """Which predictions equal their outcome; none if chance may explain it."""
    found = np.zeros(len(coin), np.bool_)
    complete = np.flatnonzero(coin.signal + horizon_candles < len(coin.candles))
    if len(complete) < _MIN_EQUAL:
        return found
    actual, predicted = targets_pct(coin.candles.columns, coin.signal[complete], horizon_candles), coin.predicted_pct[complete]
    equal = _equal(predicted, actual)
    chance = int(_equal(predicted, np.roll(actual, len(complete) // 2, axis=0)).sum())
    if equal.sum() >= max(_MIN_EQUAL, _EQUAL_TO_CHANCE * chance):
        found[complete] = equal
    return found


def known_candles(knowledge: FutureKnowledge, horizon_candles: int) -> int:
    """The number of candles after the window that the predictions know; 0 for honest predictions."""
    end, asymmetry, size = knowledge.predicted.T
    strengths = {0: 0.0}
    for lag in range(1, min(MAX_SHIFT, horizon_candles - 1) + 1):
        directions = [knowledge.drop_after(each, knowledge.returns, lag, _NEXT_LAGS) for each in (end, asymmetry)]
        direction = max(directions, key=lambda drop: drop.value)
        size_drop = knowledge.drop_after(size, knowledge.ranges, lag, _NEXT_LAGS)
        both = all(drop.exceeds(_MAX_DROP, _DROP_DEVIATIONS) for drop in (direction, size_drop))
        if both or direction.exceeds(_MAX_DIRECTION_DROP, _DROP_DEVIATIONS):
            strengths[lag] = direction.value
    return max(strengths, key=strengths.__getitem__)


def knows_outcome(knowledge: FutureKnowledge) -> bool:
    """Whether the predictions know more about their outcome than honest ones can."""
    return path_relation(knowledge).exceeds(_MAX_PATH, _DEVIATIONS) or end_relation(knowledge).exceeds(_MAX_END, _DEVIATIONS)


def end_relation(knowledge: FutureKnowledge) -> Relation:
    """The correlation of predicted and actual end changes, beyond the window's features."""
    return knowledge.relation(knowledge.predicted[:, 0], knowledge.outcome[:, 0])


def path_relation(knowledge: FutureKnowledge) -> Relation:
    """The correlation of predicted and actual rise + decline, each beyond the features and its own end change."""
    return knowledge.relation(_beyond_end(knowledge.predicted), _beyond_end(knowledge.outcome))


def _beyond_end(values: Values) -> Values:
    end, asymmetry = values[:, 0], values[:, 1]
    rest = asymmetry - end * float((end * asymmetry).mean())
    deviation = float(rest.std())
    scaled: Values = rest / deviation if deviation > 1e-6 else np.zeros(len(rest))
    return scaled


def _equal(predicted: Values, actual: Values) -> Mask:
    close = np.abs(predicted - actual) <= _PRECISION_PCT + _RELATIVE_PRECISION * np.abs(actual)
    equal: Mask = (close & (actual != 0)).all(axis=1)  # in a market that stands still, a prediction of 0 is right
    return equal
