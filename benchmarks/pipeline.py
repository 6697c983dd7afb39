"""The speed from a Parquet file of candles to a Parquet file of predictions, like a shard of a backfill."""

import time
from pathlib import Path

from coinfarm.candles.candles import Candles
from coinfarm.candles.files import parse_candles
from coinfarm.candles.gaps import fill_gaps
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.prediction.predictor import Predictor
from coinfarm.prediction.series import Series
from coinfarm.serving.response import response_file


def parquet_to_parquet_frames_per_s(predictor: Predictor, candles: Candles, folder: Path) -> float:
    """Frames per second, including reading, rendering, predicting and writing."""
    source = folder / "BENCH-1m.parquet"
    source.write_bytes(parquet_from_candles(candles))
    predictor.predict(Series(candles[:400]))
    started = time.perf_counter()
    series = Series(fill_gaps(parse_candles(source.read_bytes(), source.name)))
    predictions = predictor.predict(series)
    (folder / "predictions.parquet").write_bytes(response_file(predictor.model, predictions, ".parquet", "bench"))
    return len(predictions) / (time.perf_counter() - started)
