"""THE path: which frames an engine is asked, in which batches, and what becomes of its answers."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from coinfarm.candles.candles import Candles
from coinfarm.candles.gaps import fill_gaps
from coinfarm.errors import CandleError, ModelError, RequestError
from coinfarm.models.manifest import Output
from coinfarm.models.training_data import TrainingData
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.prediction.answer_cache import AnswerCache
from coinfarm.prediction.predictor import Predictor
from coinfarm.prediction.series import Series
from image_render.draw import Frames, draw_frames
from image_render.windows import Columns, window_range_pct, windows
from tests.support.pixel_engine import PixelEngine, StreamingPixelEngine, loaded, shares
from tests.support.synthetic_candles import MINUTE_MS, START_MS, minutes


@pytest.fixture
def engine() -> PixelEngine:
    return PixelEngine()


@pytest.fixture
def predictor(tmp_path: Path, engine: PixelEngine) -> Predictor:
    return Predictor(loaded(tmp_path / "model", engine), max_batch=10)


def expected_of(series: Series) -> NDArray[np.float64]:
    """What the engine says of each window, drawn at once."""
    return shares(draw_frames(windows(series.candles.columns, stride=series.stride))).astype(np.float64)


def whole(candles: Candles) -> Candles:
    return fill_gaps(candles, 10_000)


def test_each_window_gets_its_own_answer_in_order(predictor: Predictor) -> None:
    series = Series(minutes(230))
    predictions = predictor.predict(series)
    assert len(predictions) == len(series) == 31
    np.testing.assert_array_equal(predictions.values_pct, expected_of(series))


def test_a_window_lasts_from_its_first_open_to_its_last_millisecond(predictor: Predictor) -> None:
    predictions = predictor.predict(Series(minutes(202)))
    assert predictions.open_time.tolist() == [START_MS + at * MINUTE_MS for at in range(3)]
    assert predictions.close_time.tolist() == [START_MS + (200 + at) * MINUTE_MS - 1 for at in range(3)]


@pytest.mark.parametrize(("stride", "starts"), [(1, [0, 1, 2, 3, 4, 5, 6]), (3, [0, 3, 6]), (4, [0, 4]), (100, [0])])
def test_with_a_stride_only_every_so_manieth_window_is_predicted(predictor: Predictor, stride: int, starts: list[int]) -> None:
    candles = minutes(206)
    every = predictor.predict(Series(candles))
    some = predictor.predict(Series(candles, stride))
    assert some.open_time.tolist() == every.open_time[starts].tolist()
    np.testing.assert_array_equal(some.values_pct, every.values_pct[starts])


def test_the_engine_gets_full_batches_and_never_more(predictor: Predictor, engine: PixelEngine) -> None:
    predictor.predict(Series(minutes(199 + 25)))
    assert engine.calls == [10, 10, 5]


@pytest.mark.parametrize("stride", [1, 7])
def test_the_last_windows_of_a_series_are_those_that_the_whole_ends_with(predictor: Predictor, stride: int) -> None:
    series = Series(minutes(251), stride)
    whole, last = predictor.predict(series), predictor.predict(series.last(3))
    assert last.close_time.tolist() == whole.close_time[-3:].tolist()
    assert last.values_pct.tolist() == whole.values_pct[-3:].tolist()
    assert len(series.last(1000)) == len(series)


def test_series_share_the_batches_of_the_engine(predictor: Predictor, engine: PixelEngine) -> None:
    many = [Series(minutes(199 + count, seed=count)) for count in (3, 4, 12, 1, 5)]
    results = list(predictor.predict_each(many))
    assert engine.calls == [10, 10, 5]
    for series, predictions in zip(many, results, strict=True):
        np.testing.assert_array_equal(predictions.values_pct, expected_of(series))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    make_engine=st.sampled_from([PixelEngine, StreamingPixelEngine]),
    counts=st.lists(st.integers(1, 9), max_size=6),
    max_batch=st.integers(1, 12),
    stride=st.integers(1, 3),
)
def test_batches_of_any_size_change_no_answer(
    predictor: Predictor, make_engine: type[PixelEngine], counts: list[int], max_batch: int, stride: int
) -> None:
    many = [Series(minutes(199 + count, seed=seed), stride) for seed, count in enumerate(counts)]
    engine = make_engine()
    results = list(Predictor(_with_engine(predictor, engine), max_batch).predict_each(many))
    assert [len(predictions) for predictions in results] == [len(series) for series in many]
    for series, predictions in zip(many, results, strict=True):
        np.testing.assert_array_equal(predictions.values_pct, expected_of(series))
    frames = sum(len(series) for series in many)
    assert engine.calls == [max_batch] * (frames // max_batch) + [frames % max_batch] * (frames % max_batch > 0)


def _with_engine(predictor: Predictor, engine: PixelEngine) -> Any:
    model = predictor.model
    return type(model)(model.bundle, engine, model.load_ms)


def test_a_series_is_answered_as_soon_as_its_last_frame_is(predictor: Predictor, engine: PixelEngine) -> None:
    asked: list[int] = []

    def many() -> Iterator[Series]:
        for number in range(4):
            asked.append(number)
            yield Series(minutes(199 + 6))

    results = predictor.predict_each(many())
    next(results)
    assert (asked, engine.calls) == ([0, 1], [10])
    next(results)
    assert (asked, engine.calls) == ([0, 1, 2, 3], [10, 10])


def test_no_series_is_no_call(predictor: Predictor, engine: PixelEngine) -> None:
    assert list(predictor.predict_each([])) == []
    assert engine.calls == []


def test_a_window_of_which_more_than_half_was_made_up_gets_no_prediction(predictor: Predictor, engine: PixelEngine) -> None:
    """Of 330 candles 101 are missing in a row: some windows hold exactly 100 of them, and those in the middle all."""
    series = Series(whole(minutes(330, missing=range(120, 221))))
    predictions = predictor.predict(series)
    filled = [sum(start <= at < start + 200 for at in range(120, 221)) for start in range(131)]
    assert predictions.filled_candles.tolist() == filled
    assert {99, 100, 101} <= set(filled)
    predicted = ~np.isnan(predictions.values_pct).any(axis=1)
    assert predicted.tolist() == [count <= 100 for count in filled]
    np.testing.assert_array_equal(predictions.values_pct[predicted], expected_of(series)[predicted])
    assert sum(engine.calls) == predicted.sum()


def test_a_series_that_is_mostly_holes_gets_rows_without_predictions(predictor: Predictor, engine: PixelEngine) -> None:
    hollow = Series(whole(minutes(210, missing=range(5, 205))))
    good = Series(minutes(203))
    empty, full = predictor.predict_each([hollow, good])
    assert len(empty) == 11
    assert np.isnan(empty.values_pct).all()
    np.testing.assert_array_equal(full.values_pct, expected_of(good))
    assert engine.calls == [4]


def training(**cutoff_minutes: int) -> TrainingData:
    """A model that knows each symbol up to so many minutes after the first candle."""
    cutoff_ms = {symbol: START_MS + after * MINUTE_MS for symbol, after in cutoff_minutes.items()}
    day = date(2019, 12, 31)
    return TrainingData(symbols=tuple(cutoff_ms), interval="1m", from_date=day, to_date=day, cutoff_ms=cutoff_ms, frames=1, splits={})


@pytest.mark.parametrize(
    ("trained", "in_sample"),
    [
        pytest.param(training(DEMOUSD=2), [True, True, False, False], id="a known symbol, up to its cut-off"),
        pytest.param(training(DEMOUSD=1, DEMO2=4), [True, False, False, False], id="another symbol's cut-off does not count"),
        pytest.param(training(DEMO2=1, DEMO3=3), [True, True, True, False], id="an unknown symbol, up to the latest of all"),
        pytest.param(training(DEMOUSD=-300), [False] * 4, id="long before"),
    ],
)
def test_a_window_is_in_sample_when_it_begins_before_the_cut_off(tmp_path: Path, trained: TrainingData, in_sample: list[bool]) -> None:
    predictor = Predictor(loaded(tmp_path / "model", PixelEngine(), training=trained), max_batch=10)
    found = predictor.predict(Series(minutes(203))).in_sample
    assert found is not None
    assert found.tolist() == in_sample


def test_a_model_that_does_not_tell_what_it_learnt_from_leaves_open_what_is_in_sample(tmp_path: Path) -> None:
    predictor = Predictor(loaded(tmp_path / "model", PixelEngine(), training=None), max_batch=10)
    assert predictor.predict(Series(minutes(203))).in_sample is None


RETURN_MAP = (-2.0, 0.0, 8.0)


def interpolated(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    """Class 0 is -2, class 1 is 0, class 2 is 8; all shares are between 0 and 1."""
    return -2.0 + 2.0 * raw


def test_outputs_come_out_in_percent_by_their_names(tmp_path: Path) -> None:
    """The model may have them in another order, each in a unit of its own."""
    outputs = (
        Output(name="endChangePct", unit="percent", return_map=RETURN_MAP),
        Output(name="maxRisePct", unit="window_range"),
        Output(name="maxDeclinePct", unit="window_range", return_map=RETURN_MAP),
    )
    predictor = Predictor(loaded(tmp_path / "model", PixelEngine(), outputs=outputs), max_batch=10)
    series = Series(minutes(205))
    raw = expected_of(series)
    range_pct = window_range_pct(windows(series.candles.columns))
    values = dict(zip(OUTPUT_NAMES, predictor.predict(series).values_pct.T, strict=True))
    np.testing.assert_allclose(values["endChangePct"], interpolated(raw[:, 0]), rtol=1e-12)
    np.testing.assert_allclose(values["maxRisePct"], raw[:, 1] * range_pct, rtol=1e-12)
    np.testing.assert_allclose(values["maxDeclinePct"], interpolated(raw[:, 2]) * range_pct, rtol=1e-12)


class Answering:
    """Answers every frame with the same outputs."""

    name = "answering"

    def __init__(self, *outputs: float) -> None:
        self.outputs = outputs

    def predict(self, frames: Frames) -> NDArray[np.float32]:
        return np.tile(np.array(self.outputs, np.float32), (len(frames), 1))


@pytest.mark.parametrize(
    ("raw", "percent"),
    [
        pytest.param(0.0, -2.0, id="the first class"),
        pytest.param(1.0, 0.0, id="a class"),
        pytest.param(0.25, -1.5, id="between two"),
        pytest.param(1.5, 4.0, id="between two others"),
        pytest.param(2.0, 8.0, id="the last class"),
        pytest.param(-0.5, -2.0, id="below the first"),
        pytest.param(7.0, 8.0, id="above the last"),
    ],
)
def test_a_class_is_interpolated_in_the_return_map_and_held_at_its_ends(tmp_path: Path, raw: float, percent: float) -> None:
    outputs = tuple(Output(name=name, return_map=RETURN_MAP) for name in OUTPUT_NAMES)  # type: ignore[arg-type]
    predictor = Predictor(loaded(tmp_path / "model", Answering(raw, raw, raw), outputs=outputs), max_batch=10)
    assert predictor.predict(Series(minutes(200))).values_pct.tolist() == [[percent] * 3]


def test_a_flat_window_of_a_window_range_model_is_foretold_to_stay(tmp_path: Path) -> None:
    flat = minutes(200)
    flat = Candles(flat.symbol, flat.interval, flat.open_time, Columns(*(np.full(200, 7.0) for _ in Columns._fields)), flat.filled)
    outputs = tuple(Output(name=name, unit="window_range") for name in OUTPUT_NAMES)  # type: ignore[arg-type]
    predictor = Predictor(loaded(tmp_path / "model", Answering(1, -1, 0.5), outputs=outputs), max_batch=10)
    assert predictor.predict(Series(flat)).values_pct.tolist() == [[0, 0, 0]]


@pytest.mark.parametrize(
    ("outputs", "error", "message"),
    [
        pytest.param((1.0, 2.0), RuntimeError, r"engine answering answered \(10, 2\) instead of \(10, 3\)", id="too few"),
        pytest.param((1.0,) * 4, RuntimeError, r"answered \(10, 4\) instead of \(10, 3\)", id="too many"),
        pytest.param((1.0, float("nan"), 1.0), ModelError, "NaN or infinity", id="NaN"),
        pytest.param((1.0, 1.0, float("inf")), ModelError, "NaN or infinity", id="infinity"),
    ],
)
def test_an_engine_that_answers_nonsense_is_found_out(
    tmp_path: Path, outputs: tuple[float, ...], error: type[Exception], message: str
) -> None:
    predictor = Predictor(loaded(tmp_path / "model", Answering(*outputs)), max_batch=10)
    with pytest.raises(error, match=message):
        predictor.predict(Series(minutes(215)))


class OneAnswerForAll:
    """Forgets that it was given a batch."""

    name = "forgetful"

    def predict(self, frames: Frames) -> NDArray[np.float32]:
        return np.zeros((1, 3), np.float32)


def test_one_answer_for_a_whole_batch_is_found_out(tmp_path: Path) -> None:
    predictor = Predictor(loaded(tmp_path / "model", OneAnswerForAll()), max_batch=10)
    with pytest.raises(RuntimeError, match=r"answered \(1, 3\) instead of \(6, 3\)"):
        predictor.predict(Series(minutes(205)))


class TimeIsUpError(Exception):
    pass


@pytest.mark.parametrize("engine", [PixelEngine(), StreamingPixelEngine()], ids=["waited for", "streaming"])
def test_what_before_batch_raises_ends_the_work_after_what_was_answered(tmp_path: Path, engine: PixelEngine) -> None:
    batches = iter(range(2))

    def before_batch() -> None:
        if next(batches, None) is None:
            raise TimeIsUpError

    predictor = Predictor(loaded(tmp_path / "model", engine), max_batch=10, before_batch=before_batch)
    results = predictor.predict_each(Series(minutes(199 + 8)) for _ in range(4))
    assert [len(next(results)), len(next(results))] == [8, 8]
    with pytest.raises(TimeIsUpError):
        next(results)
    assert engine.calls == [10, 10]


def test_frames_that_are_remembered_are_not_asked_again(tmp_path: Path, engine: PixelEngine) -> None:
    """A minute later the same chart is asked for: of its ten windows, nine are old."""
    answers = AnswerCache(100)
    model = loaded(tmp_path / "model", engine)
    candles = minutes(210)
    first, later = Series(candles[:209]), Series(candles[1:210])
    Predictor(model, 10, answers).predict(first)
    predictor = Predictor(model, 10, answers)
    predictions = predictor.predict(later)
    np.testing.assert_array_equal(predictions.values_pct, expected_of(later))
    assert engine.calls == [10, 1]
    assert (predictor.timings.frames, predictor.timings.cached_frames) == (10, 9)


def test_a_chart_that_is_wholly_remembered_asks_nothing(tmp_path: Path, engine: PixelEngine) -> None:
    predictor = Predictor(loaded(tmp_path / "model", engine), 10, AnswerCache(100))
    first, again = predictor.predict(Series(minutes(205))), predictor.predict(Series(minutes(205)))
    np.testing.assert_array_equal(again.values_pct, first.values_pct)
    assert engine.calls == [6]


def test_a_cache_smaller_than_a_batch_changes_no_answer(tmp_path: Path, engine: PixelEngine) -> None:
    series = Series(minutes(225))
    predictor = Predictor(loaded(tmp_path / "model", engine), 10, AnswerCache(3))
    for _ in range(2):
        np.testing.assert_array_equal(predictor.predict(series).values_pct, expected_of(series))


def test_ready_made_frames_are_answered_in_order_and_in_batches(predictor: Predictor, engine: PixelEngine) -> None:
    series = Series(minutes(224))
    frames = draw_frames(windows(series.candles.columns))
    interleaved = np.ascontiguousarray(frames)
    np.testing.assert_array_equal(predictor.predict_frames(interleaved, None), expected_of(series))
    assert engine.calls == [10, 10, 5]


def test_ready_made_frames_are_found_among_the_answers_to_candles(tmp_path: Path, engine: PixelEngine) -> None:
    predictor = Predictor(loaded(tmp_path / "model", engine), 10, AnswerCache(100))
    series = Series(minutes(204))
    predictor.predict(series)
    frames = np.ascontiguousarray(draw_frames(windows(series.candles.columns)))
    np.testing.assert_array_equal(predictor.predict_frames(frames, None), expected_of(series))
    assert engine.calls == [5]


def test_frames_need_their_ranges_where_the_model_foretells_shares_of_them(tmp_path: Path) -> None:
    outputs = (Output(name="maxRisePct"), Output(name="maxDeclinePct", unit="window_range"), Output(name="endChangePct"))
    predictor = Predictor(loaded(tmp_path / "model", Answering(1, -2, 3), outputs=outputs), max_batch=10)
    frames = np.zeros((2, 200, 150, 3), np.uint8)
    with pytest.raises(RequestError, match=r"/windowRangePct: is missing: .* send 100 \* \(max high - min low\) / last close"):
        predictor.predict_frames(frames, None)
    assert predictor.predict_frames(frames, np.array([0.5, 4.0])).tolist() == [[1, -1, 3], [1, -8, 3]]


def test_the_time_spent_is_counted(predictor: Predictor) -> None:
    predictor.predict(Series(minutes(225)))
    assert (predictor.timings.frames, predictor.timings.cached_frames) == (26, 0)
    assert predictor.timings.render_ms > 0
    assert predictor.timings.inference_ms > 0


def test_one_batch_is_drawn_while_the_engine_is_at_work_on_the_one_before(tmp_path: Path) -> None:
    engine = StreamingPixelEngine()
    series = Series(minutes(199 + 35))
    predictions = Predictor(loaded(tmp_path / "model", engine), max_batch=10).predict(series)
    np.testing.assert_array_equal(predictions.values_pct, expected_of(series))
    assert engine.log == ["begin 0", "begin 1", "end 0", "begin 2", "end 1", "begin 3", "end 2", "end 3"]
    assert len(engine.places) == 2  # however long the series: no more memory than two batches take


def test_a_single_batch_is_waited_for_at_once(tmp_path: Path) -> None:
    engine = StreamingPixelEngine()
    results = Predictor(loaded(tmp_path / "model", engine), max_batch=10).predict_each([Series(minutes(209))])
    assert len(next(results)) == 10
    assert engine.log == ["begin 0", "end 0"]


@pytest.mark.parametrize("fail_at", [0, 1, 2])
def test_an_engine_that_fails_is_reported_when_nothing_is_at_work_any_more(tmp_path: Path, fail_at: int) -> None:
    engine = StreamingPixelEngine(fail_at)
    predictor = Predictor(loaded(tmp_path / "model", engine), max_batch=10)
    with pytest.raises(RuntimeError, match=f"batch {fail_at} failed"):
        predictor.predict(Series(minutes(199 + 40)))
    begun = {entry.removeprefix("begin ") for entry in engine.log if entry.startswith("begin")}
    assert begun == {entry.removeprefix("end ") for entry in engine.log if entry.startswith("end")}
    assert len(begun) == fail_at + 2


def test_whoever_wants_no_more_predictions_leaves_nothing_at_work(tmp_path: Path) -> None:
    engine = StreamingPixelEngine(fail_at=1)
    results = Predictor(loaded(tmp_path / "model", engine), max_batch=10).predict_each(Series(minutes(199 + 10)) for _ in range(4))
    next(results)
    assert engine.log == ["begin 0", "begin 1", "end 0"]
    results.close()  # type: ignore[attr-defined]
    assert engine.log[3:] == ["end 1"]


def test_what_was_begun_before_the_candles_failed_is_answered(tmp_path: Path) -> None:
    def many() -> Iterator[Series]:
        yield Series(minutes(199 + 10))
        yield Series(minutes(199 + 10))
        raise TimeIsUpError

    results = Predictor(loaded(tmp_path / "model", StreamingPixelEngine()), max_batch=10).predict_each(many())
    assert [len(next(results)), len(next(results))] == [10, 10]
    with pytest.raises(TimeIsUpError):
        next(results)


def test_answers_are_remembered_of_batches_that_were_at_work_together(tmp_path: Path) -> None:
    engine = StreamingPixelEngine()
    predictor = Predictor(loaded(tmp_path / "model", engine), 10, AnswerCache(100))
    series = Series(minutes(225))
    for _ in range(2):
        np.testing.assert_array_equal(predictor.predict(series).values_pct, expected_of(series))
    assert engine.calls == [10, 10, 6]


@pytest.mark.parametrize("count", [1, 199])
def test_a_series_shorter_than_a_window_is_refused(count: int) -> None:
    with pytest.raises(CandleError, match=f"/candles: {count} candles are too few: a prediction needs 200"):
        Series(minutes(count))
