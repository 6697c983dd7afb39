import numpy as np
import pytest

from coinfarm.prediction.prediction_cache import PredictionCache
from coinfarm.prediction.predictor import Predictor
from coinfarm.prediction.series import Series
from image_render.render import render_frames
from image_render.rows import pack_rows
from image_render.windows import windows
from tests.support.pixel_engine import PixelEngine, StreamingPixelEngine, expected_outputs, loaded
from tests.support.synthetic_candles import minutes

FRAMES = render_frames(windows(minutes(203).columns))
KEYS = [("version", number.to_bytes(16, "big")) for number in range(3)]
OUTPUTS = np.arange(12, dtype=np.float32).reshape(4, 3)


def test_keys_depend_on_version_and_frame():
    cache = PredictionCache(10)
    for key, row in zip(cache.keys("old", FRAMES), OUTPUTS, strict=True):
        cache.put(key, row)
    assert [cache.get(key) for key in cache.keys("new", FRAMES)] == [None] * 4
    np.testing.assert_array_equal([cache.get(key) for key in cache.keys("old", FRAMES)], OUTPUTS)


def test_keys_depend_on_each_pixel_but_not_on_the_memory_layout():
    interleaved = np.ascontiguousarray(FRAMES)
    assert interleaved.strides != FRAMES.strides
    keys = PredictionCache(1).keys("version", FRAMES)
    assert PredictionCache(1).keys("version", interleaved) == keys
    for pixel in ((0, 0, 0), (199, 149, 2), (100, 74, 1)):
        changed = FRAMES[:1].copy()
        changed[(0, *pixel)] ^= 1
        assert PredictionCache(1).keys("version", changed) != keys[:1]


def test_keys_of_rows_depend_on_each_number():
    rows = pack_rows(windows(minutes(201).columns))
    keys = PredictionCache(1).keys("version", rows)
    assert len(set(keys)) == 2
    assert PredictionCache(1).keys("version", np.concatenate([rows, rows])[::3]) == [keys[0], keys[1]]
    for number in ((0, 0), (199, 4), (100, 2)):
        changed = rows[:1].copy()
        changed[(0, *number)] ^= 1
        assert PredictionCache(1).keys("version", changed) != keys[:1]


@pytest.mark.parametrize("use", [lambda cache: cache.get(KEYS[0]), lambda cache: cache.put(KEYS[0], OUTPUTS[0])], ids=["get", "put"])
def test_evicts_the_least_recently_used(use):
    cache = PredictionCache(2)
    cache.put(KEYS[0], OUTPUTS[0])
    cache.put(KEYS[1], OUTPUTS[1])
    use(cache)
    cache.put(KEYS[2], OUTPUTS[2])
    assert [cache.get(key) is not None for key in KEYS] == [True, False, True]


def test_does_not_keep_the_batch_in_memory():
    cache = PredictionCache(2)
    cache.put(KEYS[0], OUTPUTS[3])
    assert cache.get(KEYS[0]).base is None
    assert not np.shares_memory(cache.get(KEYS[0]), OUTPUTS)


def test_predicts_only_uncached_frames_of_candles_and_archives(tmp_path, engine):
    """Of the ten windows of a request one minute later, nine are cached."""
    cache = PredictionCache(100)
    model = loaded(tmp_path / "model", engine)
    candles = minutes(210)
    first, later = Series(candles[:209]), Series(candles[1:210])
    Predictor(model, 10, cache).predict(first)
    predictor = Predictor(model, 10, cache)
    np.testing.assert_array_equal(predictor.predict(later).values_pct, expected_outputs(later))
    assert (predictor.timings.frames, predictor.timings.cached_frames) == (10, 9)
    assert min(predictor.timings.render_ms, predictor.timings.inference_ms) > 0
    frames = np.ascontiguousarray(render_frames(windows(later.candles.columns)))
    np.testing.assert_array_equal(predictor.predict_frames(frames, None), expected_outputs(later))
    assert engine.calls == [10, 1]


@pytest.mark.parametrize("make_engine", [PixelEngine, StreamingPixelEngine], ids=["synchronous", "streaming"])
@pytest.mark.parametrize("max_frames", [3, 100], ids=["smaller than a batch", "large"])
def test_caches_the_outputs_of_overlapping_batches(tmp_path, make_engine, max_frames):
    engine = make_engine()
    predictor = Predictor(loaded(tmp_path / "model", engine), 10, PredictionCache(max_frames))
    series = Series(minutes(225))
    for _ in range(2):
        np.testing.assert_array_equal(predictor.predict(series).values_pct, expected_outputs(series))
    assert max_frames == 3 or engine.calls == [10, 10, 6]
