"""The conversion of engine outputs to percent."""

from types import SimpleNamespace

import numpy as np
import pytest

from coinfarm.candles.candles import Candles
from coinfarm.errors import InvalidInput, ModelError
from coinfarm.models.manifest import Output
from coinfarm.models.output_correction import OutputCorrection
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.prediction.predictor import Predictor
from coinfarm.prediction.series import Series
from image_render.windows import Columns, window_range_pct, windows
from tests.support.pixel_engine import PixelEngine, expected_outputs, loaded
from tests.support.synthetic_candles import minutes

RETURN_MAP = (-2.0, 0.0, 8.0)
"""Class 0 is -2, class 1 is 0, class 2 is 8: shares between 0 and 1 become -2 + 2 * share."""


def test_outputs_are_percent_in_standard_order(tmp_path):
    """The model has them in another order and in different units."""
    correction = OutputCorrection(intercept=0.1, slope=0.5, slope_per_log_range=0.2)
    outputs = (
        Output(name="endChangePct", unit="percent", return_map=RETURN_MAP),
        Output(name="maxRisePct", unit="window_range", correction=correction),
        Output(name="maxDeclinePct", unit="window_range", return_map=RETURN_MAP),
    )
    predictor = Predictor(loaded(tmp_path / "model", PixelEngine(), outputs=outputs), max_batch=10)
    series = Series(minutes(205))
    raw = expected_outputs(series)
    range_pct = window_range_pct(windows(series.candles.columns))
    values = dict(zip(OUTPUT_NAMES, predictor.predict(series).values_pct.T, strict=True))
    np.testing.assert_allclose(values["endChangePct"], -2 + 2 * raw[:, 0], rtol=1e-12)
    np.testing.assert_allclose(values["maxRisePct"], (0.1 + (0.5 + 0.2 * np.log(range_pct)) * raw[:, 1]) * range_pct, rtol=1e-12)
    np.testing.assert_allclose(values["maxDeclinePct"], (-2 + 2 * raw[:, 2]) * range_pct, rtol=1e-12)


@pytest.fixture
def constant_predictor(tmp_path):
    """Makes predictors with an engine that predicts the same for every frame; `outputs` are those of the manifest."""

    def constant_predictor(*values, **details):
        engine = SimpleNamespace(name="constant", predict=lambda frames: np.tile(np.array(values, np.float32), (len(frames), 1)))
        return Predictor(loaded(tmp_path / "model", engine, **details), max_batch=10)

    return constant_predictor


@pytest.mark.parametrize(("raw", "percent"), [(0.0, -2.0), (0.25, -1.5), (-0.5, -2.0), (7.0, 8.0)])
def test_return_map_is_interpolated_and_clipped(constant_predictor, raw, percent):
    predictor = constant_predictor(raw, raw, raw, outputs=tuple(Output(name=name, return_map=RETURN_MAP) for name in OUTPUT_NAMES))
    assert predictor.predict(Series(minutes(200))).values_pct.tolist() == [[percent] * 3]


def test_a_flat_window_has_no_range(constant_predictor):
    flat = minutes(200)
    flat = Candles(flat.symbol, flat.interval, flat.open_time, Columns(*(np.full(200, 7.0) for _ in Columns._fields)), flat.filled)
    predictor = constant_predictor(1, -1, 0.5, outputs=tuple(Output(name=name, unit="window_range") for name in OUTPUT_NAMES))
    assert predictor.predict(Series(flat)).values_pct.tolist() == [[0, 0, 0]]


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [((1.0,) * 4, RuntimeError, r"\(10, 4\)"), ((1.0, float("nan"), 1.0), ModelError, "model")],
    ids=["too many", "NaN"],
)
def test_rejects_invalid_engine_outputs(constant_predictor, values, error, message):
    with pytest.raises(error, match=message):
        constant_predictor(*values).predict(Series(minutes(215)))


def test_frames_need_ranges_for_window_range_outputs(constant_predictor):
    outputs = (Output(name="maxRisePct"), Output(name="maxDeclinePct", unit="window_range"), Output(name="endChangePct"))
    predictor = constant_predictor(1, -2, 3, outputs=outputs)
    frames = np.zeros((2, 200, 150, 3), np.uint8)
    with pytest.raises(InvalidInput, match="/windowRangePct"):
        predictor.predict_frames(frames, None)
    assert predictor.predict_frames(frames, np.array([0.5, 4.0])).tolist() == [[1, -1, 3], [1, -8, 3]]
