"""Whether the predictions know the future: made again without it, they must be the same."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coinfarm.backtest.coin import Coin
from coinfarm.backtest.market_data import read_market
from coinfarm.backtest.proposals import rule_columns
from coinfarm.backtest.stored_predictions import CoinPredictions
from coinfarm.backtest.strategy import Rule
from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles
from coinfarm.candles.gaps import fill_gaps
from coinfarm.errors import CoinfarmError
from image_render.spec import STANDARD

if TYPE_CHECKING:
    from coinfarm.prediction.predictor import Predictor

MOMENTS_PER_COIN = 24
MAX_RMS_SHARE = 0.08
"""Of an output's standard deviation. The stored predictions may come from another form of the model, and each form may stray by half of
this from the model itself; knowledge of the future shows in far larger differences.
"""


@dataclass(frozen=True)
class Lookahead:
    """How many predictions were made again, and by how much they differ from the stored ones: at most, in percent points, and the largest
    root-mean-square difference of an output as a share of that output's standard deviation.
    """

    moments: int
    largest_difference_pct: float
    rms_share: float

    @property
    def passed(self) -> bool:
        return self.rms_share <= MAX_RMS_SHARE


def check_predictions(predictor: "Predictor", stored: list[CoinPredictions], candles_root: str, seed: int = 0) -> Lookahead:
    """Make predictions at random moments of each coin again, from candles of which everything after the moment was removed.

    Raises `CoinfarmError` where the predictions are another model's, or there are none.
    """
    version = predictor.model.version
    generator = np.random.default_rng(seed)
    again, before, all_values = [], [], []
    for coin in stored:
        if coin.model is not None and coin.model != version:
            raise CoinfarmError(f"the predictions were made by model {coin.model}, here serves {version}: name the right one with --model")
        known = np.flatnonzero(~np.isnan(coin.values_pct).any(axis=1))
        rows = generator.choice(known, min(MOMENTS_PER_COIN, len(known)), replace=False)
        candles = read_market(candles_root, coin.symbol, coin.interval)
        for row in rows.tolist():
            again.append(_without_future(predictor, candles, int(coin.close_time[row])))
            before.append(coin.values_pct[row])
        all_values.append(coin.values_pct[known])
    if not again:
        raise CoinfarmError("there is no prediction to make again")
    difference = np.array(again) - np.array(before)
    rms = np.sqrt((difference**2).mean(axis=0)) / np.maximum(np.concatenate(all_values).std(axis=0), 1e-12)
    return Lookahead(len(again), float(np.abs(difference).max()), float(rms.max()))


def check_rule(rule: Rule, coins: list[Coin], seed: int = 0) -> None:
    """Raises `CoinfarmError` where the rule answers otherwise when the rows after a moment are removed."""
    generator = np.random.default_rng(seed)
    for coin in coins:
        columns = rule_columns(coin)
        whole = np.asarray(rule(columns))
        for count in np.unique(generator.integers(1, len(coin) + 1, MOMENTS_PER_COIN)).tolist():
            part = np.asarray(rule({name: column[:count] for name, column in columns.items()}))
            if not np.array_equal(part, whole[:count]):
                raise CoinfarmError(
                    f"entry.rule looks ahead: of {coin.symbol} it answers otherwise when everything after its row {count:,} is removed"
                )


def _without_future(predictor: "Predictor", candles: Candles, close_ms: int) -> Values:
    """`(3,)`: the prediction of the last window of what was known at the close."""
    from coinfarm.prediction.series import Series

    known = candles.between(None, close_ms + 1)
    filled = fill_gaps(known[-STANDARD.window_candles - 1 :])
    missing = (close_ms + 1 - int(filled.open_time[-1])) // filled.interval_ms - 1
    values: Values = predictor.predict(Series(_flat_for(filled, int(missing))[-STANDARD.window_candles :])).values_pct[-1]
    return values


def _flat_for(candles: Candles, missing: int) -> Candles:
    """The same with as many flat candles at its end."""
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
