"""Checks for look-ahead bias: predictions that are repeated without later candles must stay the same."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coinfarm.backtesting.column_rule import rule_columns
from coinfarm.backtesting.market_data import read_market
from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.backtesting.stored_predictions import CoinPredictions
from coinfarm.backtesting.user_rule import Rule
from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles
from coinfarm.candles.gaps import fill_gaps
from coinfarm.errors import CoinfarmError
from image_render.spec import STANDARD

if TYPE_CHECKING:
    from coinfarm.prediction.predictor import Predictor

CHECKS_PER_COIN = 24
MAX_RMS_SHARE = 0.08
"""Of an output's standard deviation. The stored predictions may come from another compiled form of the model, and each form may differ from
the Keras model by half of this; knowledge of the future causes far larger differences.
"""


@dataclass(frozen=True)
class LookaheadResult:
    """The number of repeated predictions (`moments`), and their differences from the stored ones: the largest, in percentage points, and
    the largest root-mean-square difference of an output as a share of that output's standard deviation.
    """

    moments: int
    largest_difference_pct: float
    rms_share: float

    @property
    def passed(self) -> bool:
        return self.rms_share <= MAX_RMS_SHARE


def check_predictions(predictor: "Predictor", stored: list[CoinPredictions], candles_root: str, seed: int = 0) -> LookaheadResult:
    """Repeat predictions at random times of each coin, without any later candles.

    Raises `CoinfarmError` if another model made the predictions, or there are none.
    """
    version = predictor.model.version
    generator = np.random.default_rng(seed)
    repeated, stored_values, all_values = [], [], []
    for coin in stored:
        if coin.model is not None and coin.model != version:
            raise CoinfarmError(f"the predictions were made by model {coin.model}, not by {version}: give its model with --model")
        known = np.flatnonzero(~np.isnan(coin.values_pct).any(axis=1))
        rows = generator.choice(known, min(CHECKS_PER_COIN, len(known)), replace=False)
        candles = read_market(candles_root, coin.symbol, coin.interval)
        for row in rows.tolist():
            repeated.append(_without_future(predictor, candles, int(coin.close_time[row])))
            stored_values.append(coin.values_pct[row])
        all_values.append(coin.values_pct[known])
    if not repeated:
        raise CoinfarmError("there is no prediction to repeat")
    difference = np.array(repeated) - np.array(stored_values)
    rms = np.sqrt((difference**2).mean(axis=0)) / np.maximum(np.concatenate(all_values).std(axis=0), 1e-12)
    return LookaheadResult(len(repeated), float(np.abs(difference).max()), float(rms.max()))


def check_rule(rule: Rule, coins: list[PredictedCoin], seed: int = 0) -> None:
    """Raises `CoinfarmError` if the rule returns something else for a row when later rows are removed."""
    generator = np.random.default_rng(seed)
    for coin in coins:
        columns = rule_columns(coin)
        complete = np.asarray(rule(columns))
        for count in np.unique(generator.integers(1, len(coin) + 1, CHECKS_PER_COIN)).tolist():
            part = np.asarray(rule({name: column[:count] for name, column in columns.items()}))
            if not np.array_equal(part, complete[:count]):
                raise CoinfarmError(
                    f"entry.rule looks ahead: its result for {coin.symbol} changes when the rows after row {count:,} are removed"
                )


def _without_future(predictor: "Predictor", candles: Candles, close_ms: int) -> Values:
    """`(3,)`: the prediction for the window that ends at the close, without later candles."""
    from coinfarm.prediction.series import Series

    known = candles.between(None, close_ms + 1)
    filled = fill_gaps(known[-STANDARD.window_candles - 1 :])
    missing = (close_ms + 1 - int(filled.open_time[-1])) // filled.interval_ms - 1
    values: Values = predictor.predict(Series(_append_flat(filled, int(missing))[-STANDARD.window_candles :])).values_pct[-1]
    return values


def _append_flat(candles: Candles, missing: int) -> Candles:
    """Append `missing` flat candles at the last close."""
    from image_render.windows import Columns

    if missing <= 0:
        return candles
    close = np.full(missing, candles.columns.close[-1])
    columns = Columns(close, close, close, close, np.zeros(missing))
    return Candles(
        candles.symbol,
        candles.interval,
        candles.open_time[0] + np.arange(len(candles) + missing, dtype=np.int64) * candles.interval_ms,
        Columns(*(np.concatenate(pair) for pair in zip(candles.columns, columns, strict=True))),
        np.append(candles.filled, np.ones(missing, np.bool_)),
    )
