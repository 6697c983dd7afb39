"""Compares a live store with a backfill of the same candles, by each version of the model that served."""

from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from coinfarm.backfill.shard import shards_between
from coinfarm.backfill.shard_windows import read_shard_windows
from coinfarm.candle_store.snapshot import CandleStoreSnapshot
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import day_of
from coinfarm.candles.gaps import fill_gaps
from coinfarm.live.live_rows import CANDLE_COLUMNS
from coinfarm.outputs import OUTPUT_COLUMNS
from coinfarm.prediction.predictor import Predictor
from coinfarm.serving.service import Service
from coinfarm.serving.settings import Settings
from coinfarm.storage import Storage
from image_render.spec import STANDARD

_CONTEXT = STANDARD.window_candles - 1


class Comparison(NamedTuple):
    """Numbers of rows. `duplicates` and `missing` are candles that the store has more than once, or not, between its first and its last."""

    rows: int
    predicted: int
    duplicates: int
    missing: int
    different_candles: int
    different_predictions: int

    @property
    def is_equal(self) -> bool:
        return self.predicted > 0 and not any(self[2:])


def compare(rows: pa.Table, candles: Candles, candle_store: Storage, models: str, cache: Path) -> Comparison:
    """Compare the rows of one symbol; equal means the same bits."""
    times = rows["open_time"].to_numpy()
    filled = fill_gaps(candles).between(int(times[0]), int(times[-1]) + 1)
    unique, first = np.unique(times, return_index=True)
    expected_at = np.searchsorted(filled.open_time, unique)
    found = np.column_stack([rows[name].to_numpy() for name in CANDLE_COLUMNS])[first]
    values = np.column_stack([rows[name].to_numpy() for name in OUTPUT_COLUMNS])[first]
    versions = np.array(rows["model_version"].to_pylist(), object)[first]
    expected = np.full_like(values, np.nan)
    service = Service(Settings(model_uri=models, model_cache_dir=cache))
    for version in sorted({each for each in versions if each}):
        by_time = _backfill(candles, candle_store, service.predictor(version, use_cache=False))
        for at in np.flatnonzero(versions == version):
            expected[at] = by_time[int(unique[at])]
    is_predicted = versions != None  # noqa: E711 - of each element
    unpredicted = ~is_predicted[_CONTEXT:]
    return Comparison(
        rows=len(times),
        predicted=int(is_predicted.sum()),
        duplicates=len(times) - len(unique),
        missing=len(filled) - len(unique),
        different_candles=int((found != np.column_stack(filled.columns)[expected_at]).any(axis=1).sum()),
        different_predictions=int((values != expected)[is_predicted].any(axis=1).sum() + unpredicted.sum()),
    )


def _backfill(candles: Candles, candle_store: Storage, predictor: Predictor) -> dict[int, list[float]]:
    """The predictions of a backfill's shards, by the open time of the window's last candle."""
    found = {}
    first_day, stop_day = day_of(int(candles.open_time[0])), day_of(int(candles.open_time[-1])) + timedelta(1)
    for shard in shards_between(candles.symbol, candles.interval, first_day, stop_day, 1, 1):
        series = read_shard_windows(shard, CandleStoreSnapshot(candle_store)).series
        if series is not None:
            predictions = predictor.predict(series)
            last = predictions.close_time + 1 - candles.interval_ms
            found |= dict(zip(last.tolist(), predictions.values_pct.tolist(), strict=True))
    return found
