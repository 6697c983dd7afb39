"""The market of each predicted coin, and the predictions laid upon it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from coinfarm.backtest.coin import Coin
from coinfarm.backtest.stored_predictions import CoinPredictions
from coinfarm.candle_store.store import PREFIX, CandleStore
from coinfarm.candles.candles import Candles
from coinfarm.candles.files import parse_candles
from coinfarm.candles.gaps import fill_gaps
from coinfarm.candles.interval import interval_ms
from coinfarm.errors import CoinfarmError
from coinfarm.storage import open_storage

_ENDINGS = (".parquet", ".csv", ".json")
_MARGIN_MS = 7 * 86_400_000
"""Of candles read beyond the predictions: for the last trades to end, and for momentum before the first."""


@dataclass(frozen=True)
class LeftOut:
    """How many predictions there are, and how many are not traded upon, by the first reason that applies."""

    predictions: int
    in_sample: int
    in_sample_unknown: int
    """Not left out: the model does not say what it learnt from."""
    without_values: int
    without_candles: int
    without_horizon: int

    @property
    def kept(self) -> int:
        return self.predictions - self.in_sample - self.without_values - self.without_candles - self.without_horizon

    def __add__(self, other: "LeftOut") -> "LeftOut":
        return LeftOut(*(mine + theirs for mine, theirs in zip(vars(self).values(), vars(other).values(), strict=True)))


def read_market(root: str, symbol: str, interval: str, start_ms: int | None = None, stop_ms: int | None = None) -> Candles:
    """The coin's candles that open in `[start_ms, stop_ms)`: of a candle store, of a folder with files such as `BTCUSD-1m.parquet`, or of
    one such file. Raises `CoinfarmError` where there are none.
    """
    path = PurePosixPath(root)
    if path.suffix in _ENDINGS:
        candles = _of_file(root.rpartition("/")[0] or ".", path.name, symbol, interval, start_ms, stop_ms)
    else:
        candles = _of_folder(root, symbol, interval, start_ms, stop_ms)
    if not len(candles):
        raise CoinfarmError(f"{root} has no {interval} candles of {symbol} for the time of its predictions")
    return candles


def coin_of(predictions: CoinPredictions, candles: Candles, horizon_candles: int) -> tuple[Coin, LeftOut]:
    """The coin with the predictions that can be judged, and an account of the others."""
    candles = fill_gaps(candles)
    step_ms = interval_ms(predictions.interval)
    # A window closes in the last millisecond of its last candle, as exchanges write it.
    signal = (predictions.close_time + 1 - step_ms - candles.open_time[0]) // step_ms
    no_values = np.isnan(predictions.values_pct).any(axis=1)
    no_candles = (signal < 0) | (signal >= len(candles))
    no_candles |= candles.open_time[np.clip(signal, 0, len(candles) - 1)] + step_ms != predictions.close_time + 1
    no_horizon = signal + horizon_candles >= len(candles)
    reasons = np.stack([predictions.in_sample, no_values, no_candles, no_horizon])
    first = np.where(reasons.any(axis=0), reasons.argmax(axis=0), len(reasons))
    counts = np.bincount(first, minlength=len(reasons) + 1).tolist()
    kept = first == len(reasons)
    left_out = LeftOut(len(predictions), counts[0], predictions.in_sample_unknown, *counts[1:-1])
    return Coin(candles, signal[kept], predictions.values_pct[kept], predictions.filled_candles[kept]), left_out


def read_coins(predictions: list[CoinPredictions], root: str, horizon_candles: int) -> tuple[list[Coin], LeftOut]:
    """The coins of all predictions, with their candles under `root`. Raises `CoinfarmError` where no prediction is left."""

    def read(each: CoinPredictions) -> Candles:
        start_ms, stop_ms = int(each.close_time[0]) - _MARGIN_MS, int(each.close_time[-1]) + _MARGIN_MS
        return read_market(root, each.symbol, each.interval, start_ms, stop_ms)

    return coins_of(predictions, read, horizon_candles)


def coins_of(
    predictions: list[CoinPredictions], read: Callable[[CoinPredictions], Candles], horizon_candles: int
) -> tuple[list[Coin], LeftOut]:
    """The coins of all predictions, with the candles that `read` returns for each. Raises as `read_coins`."""
    coins, left_out = [], LeftOut(0, 0, 0, 0, 0, 0)
    for each in predictions:
        coin, missing = coin_of(each, read(each), horizon_candles)
        coins.append(coin)
        left_out += missing
    if not left_out.kept:
        raise CoinfarmError(
            f"none of {left_out.predictions:,} predictions can be judged: {left_out.in_sample:,} are in sample, "
            f"{left_out.without_values:,} have no values, {left_out.without_candles:,} no candles, "
            f"and {left_out.without_horizon:,} no candles after them"
        )
    return [coin for coin in coins if len(coin)], left_out


def _of_file(folder: str, name: str, symbol: str, interval: str, start_ms: int | None, stop_ms: int | None) -> Candles:
    candles = parse_candles(open_storage(folder).read(name).data, name, start_ms=start_ms, stop_ms=stop_ms)
    if (candles.symbol, candles.interval) != (symbol, interval):
        raise CoinfarmError(f"{name} holds {candles.interval} candles of {candles.symbol}, the predictions are {interval} of {symbol}")
    return candles


def _of_folder(root: str, symbol: str, interval: str, start_ms: int | None, stop_ms: int | None) -> Candles:
    storage = open_storage(root)
    for ending in _ENDINGS:
        if storage.exists(f"{symbol}-{interval}{ending}"):
            return _of_file(root, f"{symbol}-{interval}{ending}", symbol, interval, start_ms, stop_ms)
    parent, _, name = root.rstrip("/").rpartition("/")
    if name == PREFIX.rstrip("/") and next(iter(storage.list(PREFIX)), None) is None:
        storage = open_storage(parent or ".")  # the folder inside a store was named, not the store
    return CandleStore(storage).read(symbol, interval, start_ms, stop_ms)
