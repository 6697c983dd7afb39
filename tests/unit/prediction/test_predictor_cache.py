"""The predictor with an prediction cache."""

from pathlib import Path

import numpy as np

from coinfarm.prediction.prediction_cache import PredictionCache
from coinfarm.prediction.predictor import Predictor
from coinfarm.prediction.series import Series
from image_render.render import render_frames
from image_render.windows import windows
from tests.support.pixel_engine import PixelEngine, StreamingPixelEngine, expected_outputs, loaded
from tests.support.synthetic_candles import minutes


def test_predicts_only_uncached_frames(tmp_path: Path, engine: PixelEngine) -> None:
    """Of the ten windows of a request one minute later, nine are cached."""
    cache = PredictionCache(100)
    model = loaded(tmp_path / "model", engine)
    candles = minutes(210)
    first, later = Series(candles[:209]), Series(candles[1:210])
    Predictor(model, 10, cache).predict(first)
    predictor = Predictor(model, 10, cache)
    predictions = predictor.predict(later)
    np.testing.assert_array_equal(predictions.values_pct, expected_outputs(later))
    assert engine.calls == [10, 1]
    assert (predictor.timings.frames, predictor.timings.cached_frames) == (10, 9)
    assert min(predictor.timings.render_ms, predictor.timings.inference_ms) > 0


def test_a_cache_smaller_than_a_batch(tmp_path: Path, engine: PixelEngine) -> None:
    series = Series(minutes(225))
    predictor = Predictor(loaded(tmp_path / "model", engine), 10, PredictionCache(3))
    for _ in range(2):
        np.testing.assert_array_equal(predictor.predict(series).values_pct, expected_outputs(series))


def test_frames_and_candles_share_the_cache(tmp_path: Path, engine: PixelEngine) -> None:
    predictor = Predictor(loaded(tmp_path / "model", engine), 10, PredictionCache(100))
    series = Series(minutes(204))
    predictor.predict(series)
    frames = np.ascontiguousarray(render_frames(windows(series.candles.columns)))
    np.testing.assert_array_equal(predictor.predict_frames(frames, None), expected_outputs(series))
    assert engine.calls == [5]


def test_caches_the_outputs_of_overlapping_batches(tmp_path: Path) -> None:
    engine = StreamingPixelEngine()
    predictor = Predictor(loaded(tmp_path / "model", engine), 10, PredictionCache(100))
    series = Series(minutes(225))
    for _ in range(2):
        np.testing.assert_array_equal(predictor.predict(series).values_pct, expected_outputs(series))
    assert engine.calls == [10, 10, 6]
