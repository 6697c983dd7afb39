"""Make a live store from the candles of this folder: `python examples/live_store.py STORE`.

It has what `coinfarm watch` would have stored: each candle with the prediction that was made when it had closed.
"""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa

from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles
from coinfarm.candles.files import parse_candles
from coinfarm.live.live_rows import live_schema
from coinfarm.live.live_store import LiveFeed, LiveStore
from coinfarm.prediction.series import Series
from coinfarm.serving.service import Service
from coinfarm.serving.settings import Settings
from coinfarm.storage import open_storage

FOLDER = Path(__file__).parent
FEED = LiveFeed("binance", "1m")
_LATENCY_MS = 200


def predicted_rows(candles: Candles, values_pct: Values, version: str, further_horizons: tuple[int, ...] = ()) -> pa.Table:
    """Rows of a live store: candles without gaps, and predictions `(n, outputs)` for the last `n` of them; NaN is none."""
    count, schema = len(candles), live_schema(further_horizons)
    values = np.full((count, values_pct.shape[1]), np.nan)
    values[count - len(values_pct) :] = values_pct
    is_missing, close_time = np.isnan(values[:, 0]), candles.open_time + candles.interval_ms - 1
    return pa.table(
        {
            "symbol": [candles.symbol] * count,
            "open_time": candles.open_time,
            "close_time": close_time,
            **candles.columns._asdict(),
            "filled": candles.filled,
            "corrected_at": pa.nulls(count, pa.int64()),
            "model_version": pa.array([None if missing else version for missing in is_missing], pa.string()),
            "predicted_at": pa.array(close_time + _LATENCY_MS, mask=is_missing),
            "in_sample": pa.array(np.zeros(count, np.bool_), mask=is_missing),
            "filled_candles": np.zeros(count, np.int64),
            **dict(zip(schema.names[-values.shape[1] :], values.T, strict=True)),
        },
        schema=schema,
    )


if __name__ == "__main__":
    candles = parse_candles((FOLDER / "DEMOUSD-1m.parquet").read_bytes(), "DEMOUSD-1m.parquet")
    predictor = Service(Settings()).predictor()
    predictions = predictor.predict(Series(candles))
    LiveStore(open_storage(sys.argv[1])).append(
        FEED, predicted_rows(candles, predictions.values_pct, predictor.model.bundle.manifest.version)
    )
