"""The predictor: windows, batches, gaps, in-sample flags, pre-rendered frames."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coinfarm.candles.gaps import fill_gaps
from coinfarm.models.training_data import TrainingData
from coinfarm.prediction.predictor import Predictor
from coinfarm.prediction.series import Series
from image_render.render import render_frames
from image_render.windows import windows
from tests.support.pixel_engine import PixelEngine, StreamingPixelEngine, expected_outputs, loaded
from tests.support.synthetic_candles import MINUTE_MS, START_MS, minutes


def test_predicts_each_window_in_order(predictor):
    series = Series(minutes(230))
    predictions = predictor.predict(series)
    assert len(predictions) == len(series) == 31
    assert predictions.open_time.tolist() == [START_MS + at * MINUTE_MS for at in range(31)]
    assert predictions.close_time.tolist() == [START_MS + (200 + at) * MINUTE_MS - 1 for at in range(31)]
    np.testing.assert_array_equal(predictions.values_pct, expected_outputs(series))


@pytest.mark.parametrize(("stride", "starts"), [(3, [0, 3, 6]), (4, [0, 4]), (100, [0])])
def test_a_stride_skips_windows(predictor, stride, starts):
    candles = minutes(206)
    every = predictor.predict(Series(candles))
    series = Series(candles, stride)
    for some, expected in ((series, starts), (series.last(2), starts[-2:]), (series.last(1000), starts)):
        predictions = predictor.predict(some)
        assert predictions.open_time.tolist() == every.open_time[expected].tolist()
        np.testing.assert_array_equal(predictions.values_pct, every.values_pct[expected])


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    make_engine=st.sampled_from([PixelEngine, StreamingPixelEngine]),
    counts=st.lists(st.integers(1, 9), max_size=6),
    max_batch=st.integers(1, 12),
    stride=st.integers(1, 3),
)
def test_predictions_do_not_depend_on_the_batch_size(predictor, make_engine, counts, max_batch, stride):
    many = [Series(minutes(199 + count, seed=seed), stride) for seed, count in enumerate(counts)]
    engine = make_engine()
    results = list(Predictor(replace(predictor.model, engine=engine), max_batch).predict_each(many))
    assert [len(predictions) for predictions in results] == [len(series) for series in many]
    for series, predictions in zip(many, results, strict=True):
        np.testing.assert_array_equal(predictions.values_pct, expected_outputs(series))
    frames = sum(len(series) for series in many)
    assert engine.calls == [max_batch] * (frames // max_batch) + [frames % max_batch] * (frames % max_batch > 0)


def test_yields_a_series_once_its_last_frame_is_predicted(predictor, engine):
    requested = []

    def many():
        for number in range(4):
            requested.append(number)
            yield Series(minutes(199 + 6))

    results = predictor.predict_each(many())
    next(results)
    assert (requested, engine.calls) == ([0, 1], [10])
    next(results)
    assert (requested, engine.calls) == ([0, 1, 2, 3], [10, 10])


def test_mostly_filled_windows_get_no_prediction(predictor, engine):
    """101 of 330 candles are missing: some windows contain exactly 100 of them, others all."""
    series = Series(fill_gaps(minutes(330, missing=range(120, 221)), 10_000))
    predictions = predictor.predict(series)
    filled = [sum(start <= at < start + 200 for at in range(120, 221)) for start in range(131)]
    assert predictions.filled_candles.tolist() == filled
    assert {99, 100, 101} <= set(filled)
    predicted = ~np.isnan(predictions.values_pct).any(axis=1)
    assert predicted.tolist() == [count <= 100 for count in filled]
    np.testing.assert_array_equal(predictions.values_pct[predicted], expected_outputs(series)[predicted])
    assert sum(engine.calls) == predicted.sum()


def test_a_series_of_filled_windows_has_rows_without_predictions(predictor, engine):
    filled = Series(fill_gaps(minutes(210, missing=range(5, 205)), 10_000))
    good = Series(minutes(203))
    empty, full = predictor.predict_each([filled, good])
    assert len(empty) == 11
    assert np.isnan(empty.values_pct).all()
    np.testing.assert_array_equal(full.values_pct, expected_outputs(good))
    assert engine.calls == [4]


def training(**cutoff_minutes):
    """Training data up to some minutes after the first candle, by symbol."""
    cutoff_ms = {symbol: START_MS + after * MINUTE_MS for symbol, after in cutoff_minutes.items()}
    day = date(2019, 12, 31)
    return TrainingData(symbols=tuple(cutoff_ms), interval="1m", from_date=day, to_date=day, cutoff_ms=cutoff_ms, frames=1, splits={})


@pytest.mark.parametrize(
    ("trained", "in_sample"),
    [
        pytest.param(training(DEMOUSD=2), [True, True, False, False], id="known symbol"),
        pytest.param(training(DEMOUSD=1, DEMO2=4), [True, False, False, False], id="cutoff of another symbol"),
        pytest.param(training(DEMO2=1, DEMO3=3), [True, True, True, False], id="unknown symbol: latest cutoff"),
        pytest.param(training(DEMOUSDT=2, DEMO2=4), [True, True, False, False], id="the same coin against another dollar"),
        pytest.param(None, None, id="no training data"),
    ],
)
def test_windows_before_the_cutoff_are_in_sample(tmp_path, trained, in_sample):
    predictor = Predictor(loaded(tmp_path / "model", PixelEngine(), training=trained), max_batch=10)
    found = predictor.predict(Series(minutes(203))).in_sample
    assert (None if found is None else found.tolist()) == in_sample


def test_predicts_ready_made_frames_in_batches(predictor, engine):
    series = Series(minutes(224))
    frames = render_frames(windows(series.candles.columns))
    interleaved = np.ascontiguousarray(frames)
    np.testing.assert_array_equal(predictor.predict_frames(interleaved, None), expected_outputs(series))
    assert engine.calls == [10, 10, 5]
