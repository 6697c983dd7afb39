"""The speed of the engine alone, and from a Parquet file of candles to a Parquet file of predictions, like a shard of a backfill."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from coinfarm.candles.candles import Candles
from coinfarm.candles.files import parse_candles
from coinfarm.candles.gaps import fill_gaps
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.engines.engine import Engine, PendingOutputs, is_streaming, takes_rows
from coinfarm.prediction.predictor import Predictor
from coinfarm.prediction.series import Series
from coinfarm.serving.response import response_file
from image_render.render import render_frames
from image_render.rows import pack_rows
from image_render.windows import Columns, windows


def starter(engine: Engine, view: Columns) -> Callable[[], PendingOutputs]:
    """Starts the engine with the windows, as the predictor does: with rows or with frames, which are made here, once."""
    if takes_rows(engine):
        return partial(engine.start_rows, pack_rows(view))
    frames = render_frames(view)
    if is_streaming(engine):
        return partial(engine.start, frames)

    def predicted() -> PendingOutputs:
        outputs = engine.predict(frames)
        return lambda: outputs

    return predicted


def engine_frames_per_s(predictor: Predictor, candles: Candles, budget_s: float = 1.0) -> float:
    """Frames per second of the engine without rendering, in the predictor's batches; a streaming engine gets the next batch early."""
    engine = predictor.model.engine
    batch = engine.batch_frames if takes_rows(engine) else predictor.max_batch
    view = Columns(*(column[:batch] for column in windows(candles.columns)))
    start = starter(engine, view)
    pending = start()
    pending()
    count, pending, started = 0, start(), time.perf_counter()
    while time.perf_counter() < started + budget_s or not count:
        following = start()
        pending()
        pending = following
        count += len(view.close)
    frames_per_s = count / (time.perf_counter() - started)
    pending()
    return frames_per_s


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
