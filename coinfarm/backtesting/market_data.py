"""Reading the candles of each predicted coin, and aligning the predictions to them."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from coinfarm.backtesting.execution.market import TRAILING_CANDLES
from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.backtesting.stored_predictions import CoinPredictions
from coinfarm.candle_store.series_folders import PREFIX, SeriesName
from coinfarm.candle_store.store import CandleStore
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import DAY_MS
from coinfarm.candles.files import parse_candles
from coinfarm.candles.gaps import fill_gaps
from coinfarm.candles.interval import interval_ms, interval_spellings
from coinfarm.candles.sources.names import series_hint
from coinfarm.candles.symbol import split_symbol
from coinfarm.errors import CoinfarmError, InvalidInput
from coinfarm.reports.formatting import minute_text
from coinfarm.storage import Storage, open_storage

_ENDINGS = (".parquet", ".csv", ".json")
_MIN_MARGIN_MS = 7 * DAY_MS
"""For markets without trades for some days."""


@dataclass(frozen=True)
class ExclusionCounts:
    """The number of predictions, and of those that are excluded from the backtest, by the first reason that applies."""

    predictions: int
    in_sample: int
    in_sample_unknown: int
    """Not excluded: the training data of the model is unknown."""
    without_values: int
    without_candles: int
    without_horizon: int

    @property
    def usable(self) -> int:
        return self.predictions - self.in_sample - self.without_values - self.without_candles - self.without_horizon

    def __add__(self, other: "ExclusionCounts") -> "ExclusionCounts":
        return ExclusionCounts(*(mine + theirs for mine, theirs in zip(vars(self).values(), vars(other).values(), strict=True)))


def read_market(root: str, symbol: str, interval: str, start_ms: int | None = None, stop_ms: int | None = None) -> Candles:
    """The coin's candles that open in `[start_ms, stop_ms)`, from a candle store, a folder with files such as `BTCUSD-1m.parquet`, or one
    such file. Raises `CoinfarmError` if there are none.
    """
    path = PurePosixPath(root)
    if path.suffix in _ENDINGS:
        candles = _from_file(root.rpartition("/")[0] or ".", path.name, symbol, interval, start_ms, stop_ms)
    else:
        candles = _from_folder(root, symbol, interval, start_ms, stop_ms)
    if not len(candles):
        period = "" if start_ms is None or stop_ms is None else f", {minute_text(start_ms)} to {minute_text(stop_ms)} UTC"
        raise CoinfarmError(f"{root} has no {interval} candles of {symbol} in the period of its predictions{period}")
    return candles


def align_predictions(predictions: CoinPredictions, candles: Candles, horizon_candles: int) -> tuple[PredictedCoin, ExclusionCounts]:
    """The coin with the predictions that can be tested, and the counts of the others."""
    candles = fill_gaps(candles)
    step_ms = interval_ms(predictions.interval)
    # A window closes in the last millisecond of its last candle, as on exchanges.
    signal = (predictions.close_time + 1 - step_ms - candles.open_time[0]) // step_ms
    no_values = ~np.isfinite(predictions.values_pct).all(axis=1)
    no_candles = (signal < 0) | (signal >= len(candles))
    no_candles |= candles.open_time[np.clip(signal, 0, len(candles) - 1)] + step_ms != predictions.close_time + 1
    no_horizon = signal + horizon_candles >= len(candles)
    reasons = np.stack([predictions.in_sample, no_values, no_candles, no_horizon])
    first = np.where(reasons.any(axis=0), reasons.argmax(axis=0), len(reasons))
    counts = np.bincount(first, minlength=len(reasons) + 1).tolist()
    usable = first == len(reasons)
    exclusions = ExclusionCounts(len(predictions), counts[0], predictions.in_sample_unknown, *counts[1:-1])
    return PredictedCoin(candles, signal[usable], predictions.values_pct[usable], predictions.filled_candles[usable]), exclusions


def read_predicted_coins(
    predictions: list[CoinPredictions], root: str, horizon_candles: int, extra_candles: int = TRAILING_CANDLES
) -> tuple[list[PredictedCoin], ExclusionCounts]:
    """The coins of all predictions, with their candles under `root`.

    Also reads the candles before the first prediction, from which momentum, volumes and ranges are computed, and those after the last one,
    in which its trades end: two horizons and `extra_candles`, and at least a week. Raises `CoinfarmError` if no prediction can be tested.
    """

    def read(each: CoinPredictions) -> Candles:
        margin_ms = max(_MIN_MARGIN_MS, (2 * horizon_candles + extra_candles) * interval_ms(each.interval))
        start_ms, stop_ms = int(each.close_time[0]) - margin_ms, int(each.close_time[-1]) + margin_ms
        return read_market(root, each.symbol, each.interval, start_ms, stop_ms)

    return predicted_coins(predictions, read, horizon_candles)


def predicted_coins(
    predictions: list[CoinPredictions], read: Callable[[CoinPredictions], Candles], horizon_candles: int
) -> tuple[list[PredictedCoin], ExclusionCounts]:
    """The coins of all predictions, with the candles that `read` returns for each. Raises the same as `read_predicted_coins`."""
    coins, exclusions = [], ExclusionCounts(0, 0, 0, 0, 0, 0)
    for each in predictions:
        coin, excluded = align_predictions(each, read(each), horizon_candles)
        coins.append(coin)
        exclusions += excluded
    if not exclusions.usable:
        raise CoinfarmError(
            f"none of {exclusions.predictions:,} predictions can be tested: {exclusions.in_sample:,} are in sample, "
            f"{exclusions.without_values:,} have no values, {exclusions.without_candles:,} no candles, "
            f"and {exclusions.without_horizon:,} no candles after them"
        )
    return [coin for coin in coins if len(coin)], exclusions


def _from_file(folder: str, name: str, symbol: str, interval: str, start_ms: int | None, stop_ms: int | None) -> Candles:
    candles = parse_candles(open_storage(folder).read(name).data, name, start_ms=start_ms, stop_ms=stop_ms)
    if SeriesName.canonical(candles.symbol, candles.interval) != SeriesName.canonical(symbol, interval):
        raise CoinfarmError(
            f"{name} has {candles.interval} candles of {candles.symbol}, but the predictions are of {interval} candles of {symbol}"
        )
    return candles


def _from_folder(root: str, symbol: str, interval: str, start_ms: int | None, stop_ms: int | None) -> Candles:
    storage = open_storage(root)
    for name in (f"{symbol}-{spelling}{ending}" for spelling in interval_spellings(interval) for ending in _ENDINGS):
        if storage.exists(name):
            return _from_file(root, name, symbol, interval, start_ms, stop_ms)
    parent, _, name = root.rstrip("/").rpartition("/")
    if name == PREFIX.rstrip("/") and next(iter(storage.list(PREFIX)), None) is None:
        storage = open_storage(parent or ".")  # the folder inside a candle store was given, not the store
    elif next(iter(storage.list(PREFIX)), None) is None:
        found = _file_of_another_spelling(storage, SeriesName.canonical(symbol, interval))
        if found is not None:
            return _from_file(root, found, symbol, interval, start_ms, stop_ms)
        raise CoinfarmError(
            f"{root} has neither a file {symbol}-{interval}.parquet (or .csv, .json) nor a candle store: add candles with "
            "`coinfarm history download`, `import` or `generate`"
        )
    return CandleStore(storage).read(symbol, interval, start_ms, stop_ms)


def _file_of_another_spelling(storage: Storage, series: SeriesName) -> str | None:
    """The name of a file such as `BTC-USD-60m.parquet`, for BTCUSD 1h."""
    base = split_symbol(series.symbol).base
    for key in (key for start in (base, base.lower()) for key in storage.list(start)):
        if "/" not in key and key.endswith(_ENDINGS):
            with suppress(InvalidInput):
                hint = series_hint(key)
                if hint.symbol and hint.interval and SeriesName.canonical(hint.symbol, hint.interval) == series:
                    return key
    return None
