"""Stored predictions and candles for backtests."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet as pq

from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import DAY_MS
from coinfarm.candles.parquet_file import parquet_from_candles
from image_render.windows import Columns
from tests.support.backtest_markets import noisy_predictions, random_walk

MODEL = "20260101-0123abcd"
WINDOW = 200


def prediction_table(coin: PredictedCoin, *, in_sample: Sequence[bool | None] | None = None) -> pa.Table:
    close_time = coin.signal_ms + coin.candles.interval_ms - 1
    rise, decline, end = coin.predicted_pct.T
    return pa.table(
        {
            "open_time": close_time + 1 - WINDOW * coin.candles.interval_ms,
            "close_time": close_time,
            "in_sample": pa.array([False] * len(coin) if in_sample is None else in_sample, pa.bool_()),
            "filled_candles": coin.filled_candles.astype(np.int32),
            "max_rise_pct": rise,
            "max_decline_pct": decline,
            "end_change_pct": end,
        }
    )


def store_predictions(root: Path, coin: PredictedCoin, *, prefix: str = f"predictions/model={MODEL}/", **options: Any) -> None:
    """One file per day, under `ROOT/predictions/model=…/symbol=…/interval=…/date=….parquet`."""
    table, day = prediction_table(coin, **options), coin.signal_ms // DAY_MS
    for each in np.unique(day).tolist():
        date = np.datetime64(each, "D")
        path = root / f"{prefix}symbol={coin.symbol}/interval={coin.candles.interval}/date={date}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table.filter(pa.array(day == each)), path)


def store_candles(folder: Path, candles: Candles) -> None:
    """Write `FOLDER/SYMBOL-INTERVAL.parquet`, without the filled candles."""
    real = ~candles.filled
    columns = Columns(*(column[real] for column in candles.columns))
    stored = Candles(candles.symbol, candles.interval, candles.open_time[real], columns, candles.filled[real])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{candles.symbol}-{candles.interval}.parquet").write_bytes(parquet_from_candles(stored))


def store_two_coins(root: Path) -> Path:
    """Forty days of two coins, under `results` and `candles`; the first five days are in sample."""
    for seed, symbol in enumerate(("DEMOBTC", "DEMOETH")):
        coin = noisy_predictions(random_walk(symbol, 40 * 288, seed, "5m"), 20, seed + 5)
        store_predictions(root / "results", coin, in_sample=(np.arange(len(coin)) < 1_440).tolist())
        store_candles(root / "candles", coin.candles)
    return root
