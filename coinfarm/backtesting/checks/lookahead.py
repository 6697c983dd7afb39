"""Checks for look-ahead bias: predictions that are repeated without later candles must stay the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from coinfarm.backtesting.checks.rule_process import Columns, RuleProcess, returned_columns
from coinfarm.backtesting.market_data import read_market
from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.backtesting.rules.column_rule import rule_columns
from coinfarm.backtesting.rules.user_rule import Rule, RuleError, call_rule
from coinfarm.backtesting.stored_predictions import CoinPredictions
from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles
from coinfarm.candles.gaps import fill_gaps
from coinfarm.errors import CoinfarmError
from coinfarm.reports.formatting import minute_text
from image_render.spec import STANDARD

if TYPE_CHECKING:
    from coinfarm.prediction.predictor import Predictor

MIN_CHECKS = 120
"""Of all coins together: a leak in 5 % of rows escapes this many with a probability of 0.2 %."""
MIN_CHECKS_PER_COIN = 24
MAX_RMS_SHARE = 0.08
"""Of an output's standard deviation. The stored predictions may come from another compiled form of the model, and each form may differ from
the Keras model by half of this; knowledge of the future causes far larger differences.
"""
_MAX_ROW_SHARE, _MAX_ROW_TO_MEDIAN = 0.05, 30.0
"""A single row differs if one of its outputs differs by more than this share of its standard deviation, and by this many times the median
row: between compiled forms, no row differs by more than 15 times the median.
"""


@dataclass(frozen=True)
class LookaheadResult:
    """The number of repeated predictions (`moments`), and their differences from the stored ones: the largest, in percentage points, the
    largest root-mean-square difference of an output as a share of that output's standard deviation, and the number of single rows that
    differ far more than the others, with the first of them by name and time.
    """

    moments: int
    largest_difference_pct: float
    rms_share: float
    differing_rows: int = 0
    first_differing_row: str | None = None

    @property
    def passed(self) -> bool:
        return self.rms_share <= MAX_RMS_SHARE and not self.differing_rows


def check_predictions(predictor: "Predictor", stored: list[CoinPredictions], candles_root: str, seed: int = 0) -> LookaheadResult:
    """Repeat predictions at random times of each coin, without any later candles.

    Raises `CoinfarmError` if another model made the predictions, or there are none.
    """
    version = predictor.model.version
    generator = np.random.default_rng(seed)
    repeated, stored_values, all_values, names = [], [], [], []
    for coin in stored:
        if coin.model is not None and coin.model != version:
            raise CoinfarmError(f"the predictions were made by model {coin.model}, not by {version}: give its model with --model")
        known = np.flatnonzero(~np.isnan(coin.values_pct).any(axis=1))
        rows = np.sort(generator.choice(known, min(checks_per_coin(len(stored)), len(known)), replace=False))
        candles = read_market(candles_root, coin.symbol, coin.interval)
        for row in rows.tolist():
            repeated.append(_without_future(predictor, candles, int(coin.close_time[row])))
            stored_values.append(coin.values_pct[row])
            names.append(f"{coin.symbol} at {minute_text(int(coin.close_time[row]) + 1)}")
        all_values.append(coin.values_pct[known])
    if not repeated:
        raise CoinfarmError("there is no prediction to repeat")
    difference = np.array(repeated) - np.array(stored_values)
    shares = np.abs(difference) / np.maximum(np.concatenate(all_values).std(axis=0), 1e-12)
    row_shares = shares.max(axis=1)
    differing = row_shares > max(_MAX_ROW_SHARE, _MAX_ROW_TO_MEDIAN * float(np.median(row_shares)))
    return LookaheadResult(
        len(repeated),
        float(np.abs(difference).max()),
        float(np.sqrt((shares**2).mean(axis=0)).max()),
        int(differing.sum()),
        names[int(differing.argmax())] if differing.any() else None,
    )


def checks_per_coin(coins: int) -> int:
    """So that all coins together have at least `MIN_CHECKS`."""
    return max(MIN_CHECKS_PER_COIN, -(-MIN_CHECKS // coins))


def check_rule(name: str, folder: Path, rule: Rule, coins: list[PredictedCoin], seed: int = 0) -> None:
    """Run the rule `name` again in a process that never has later rows of any coin, and compare with what `rule`, the same, returns here.

    Raises `CoinfarmError` if the rule returns something else for a row when later rows do not exist, or for the same rows again, or fails.
    """
    complete = {coin.symbol: rule_columns(coin) for coin in coins}
    returned = {symbol: call_rule(rule, rule, columns) for symbol, columns in complete.items()}
    _check_repeatable(name, rule, complete, returned)
    generator = np.random.default_rng(seed)
    cuts = []
    for coin in coins:
        rows = np.unique(generator.integers(1, len(coin) + 1, checks_per_coin(len(coins))))
        cuts += [(int(coin.signal_ms[count - 1]), coin.symbol, count) for count in rows.tolist()]
    sent = dict.fromkeys(complete, 0)
    differing, first = 0, ""
    with RuleProcess(name, folder) as process:
        for time_ms, symbol, count in sorted(cuts):
            columns = complete[symbol]
            part = process.add_rows(symbol, {key: column[sent[symbol] : count] for key, column in columns.items()})
            sent[symbol] = count
            expected = returned_columns(returned[symbol], len(columns["close_time"]), count)
            if not _equal(part, expected):
                first = first or f"{symbol} at {minute_text(time_ms)}"
                differing += 1
    if differing:
        raise CoinfarmError(
            f"rule {name} looks ahead: {differing:,} of {len(cuts):,} times it returned something else when the later rows did not exist, "
            f"the first time for {first}"
        )


def _check_repeatable(name: str, rule: Rule, complete: Mapping[str, Columns], returned: Mapping[str, object]) -> None:
    """Raises `RuleError` if the rule returns something else than `returned` for the same rows, or something of another length."""
    for symbol, rows in complete.items():
        count = len(rows["close_time"])
        try:
            first, again = (returned_columns(each, count, count) for each in (returned[symbol], call_rule(rule, rule, rows)))
        except ValueError:
            raise RuleError(f"rule {name} returned something of another length than the {count:,} rows that it was given") from None
        if not _equal(first, again):
            raise RuleError(
                f"rule {name} returns something else when it is called again with the same rows of {symbol}: seed its random numbers, and "
                "keep nothing between calls"
            )


def _equal(one: Columns, other: Columns) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[key], column) for key, column in other.items())


def _without_future(predictor: "Predictor", candles: Candles, close_ms: int) -> Values:
    """`(outputs,)`: the prediction for the window that ends at the close, without later candles."""
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
