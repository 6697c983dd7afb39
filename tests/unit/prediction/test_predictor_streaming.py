"""The predictor with an engine that runs while frames are rendered, and errors during a prediction."""

import numpy as np
import pytest

from coinfarm.prediction.predictor import Predictor
from coinfarm.prediction.series import Series
from tests.support.pixel_engine import PixelEngine, StreamingPixelEngine, expected_outputs, loaded
from tests.support.synthetic_candles import minutes


class OutOfTimeError(Exception):
    pass


@pytest.mark.parametrize("engine", [PixelEngine(), StreamingPixelEngine()], ids=["synchronous", "streaming"])
def test_an_error_of_before_batch_is_raised_after_completed_series(tmp_path, engine):
    batches = iter(range(2))

    def before_batch():
        if next(batches, None) is None:
            raise OutOfTimeError

    predictor = Predictor(loaded(tmp_path / "model", engine), max_batch=10, before_batch=before_batch)
    results = predictor.predict_each(Series(minutes(199 + 8)) for _ in range(4))
    assert [len(next(results)), len(next(results))] == [8, 8]
    with pytest.raises(OutOfTimeError):
        next(results)
    assert engine.calls == [10, 10]


def test_renders_one_batch_while_the_engine_runs_another(tmp_path):
    engine = StreamingPixelEngine()
    series = Series(minutes(199 + 35))
    predictions = Predictor(loaded(tmp_path / "model", engine), max_batch=10).predict(series)
    np.testing.assert_array_equal(predictions.values_pct, expected_outputs(series))
    assert engine.log == ["begin 0", "begin 1", "end 0", "begin 2", "end 1", "begin 3", "end 2", "end 3"]
    assert len(engine.places) == 2  # two buffers, however long the series


@pytest.mark.parametrize("fail_at", [0, 1, 2])
def test_an_engine_error_is_raised_after_all_batches_have_ended(tmp_path, fail_at):
    engine = StreamingPixelEngine(fail_at)
    predictor = Predictor(loaded(tmp_path / "model", engine), max_batch=10)
    with pytest.raises(RuntimeError, match=f"batch {fail_at} failed"):
        predictor.predict(Series(minutes(199 + 40)))
    begun = [entry.removeprefix("begin ") for entry in engine.log if entry.startswith("begin")]
    assert begun == [entry.removeprefix("end ") for entry in engine.log if entry.startswith("end")]
    assert len(begun) == fail_at + 2


def test_closing_the_iterator_waits_for_running_batches(tmp_path):
    engine = StreamingPixelEngine(fail_at=1)
    results = Predictor(loaded(tmp_path / "model", engine), max_batch=10).predict_each(Series(minutes(199 + 10)) for _ in range(4))
    next(results)
    assert engine.log == ["begin 0", "begin 1", "end 0"]
    results.close()
    assert engine.log[3:] == ["end 1"]


def test_yields_started_series_before_an_error_of_the_candles(tmp_path):
    def many():
        yield Series(minutes(199 + 10))
        yield Series(minutes(199 + 10))
        raise OutOfTimeError

    results = Predictor(loaded(tmp_path / "model", StreamingPixelEngine()), max_batch=10).predict_each(many())
    assert [len(next(results)), len(next(results))] == [10, 10]
    with pytest.raises(OutOfTimeError):
        next(results)
