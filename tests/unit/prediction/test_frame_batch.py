"""The conversion of engine outputs to percent."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from coinfarm.candles.candles import Candles
from coinfarm.errors import InvalidInput, ModelError
from coinfarm.models.manifest import Output
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.prediction.predictor import Predictor
from coinfarm.prediction.series import Series
from image_render.render import Frames
from image_render.windows import Columns, window_range_pct, windows
from tests.support.pixel_engine import PixelEngine, expected_outputs, loaded
from tests.support.synthetic_candles import minutes

RETURN_MAP = (-2.0, 0.0, 8.0)


def interpolated(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    """Class 0 is -2, class 1 is 0, class 2 is 8; all shares are between 0 and 1."""
    return -2.0 + 2.0 * raw


def test_outputs_are_percent_in_standard_order(tmp_path: Path) -> None:
    """The model has them in another order and in different units."""
    outputs = (
        Output(name="endChangePct", unit="percent", return_map=RETURN_MAP),
        Output(name="maxRisePct", unit="window_range"),
        Output(name="maxDeclinePct", unit="window_range", return_map=RETURN_MAP),
    )
    predictor = Predictor(loaded(tmp_path / "model", PixelEngine(), outputs=outputs), max_batch=10)
    series = Series(minutes(205))
    raw = expected_outputs(series)
    range_pct = window_range_pct(windows(series.candles.columns))
    values = dict(zip(OUTPUT_NAMES, predictor.predict(series).values_pct.T, strict=True))
    np.testing.assert_allclose(values["endChangePct"], interpolated(raw[:, 0]), rtol=1e-12)
    np.testing.assert_allclose(values["maxRisePct"], raw[:, 1] * range_pct, rtol=1e-12)
    np.testing.assert_allclose(values["maxDeclinePct"], interpolated(raw[:, 2]) * range_pct, rtol=1e-12)


class ConstantEngine:
    """Predicts the same outputs for every frame."""

    name = "constant"

    def __init__(self, *outputs: float) -> None:
        self.outputs = outputs

    def predict(self, frames: Frames) -> NDArray[np.float32]:
        return np.tile(np.array(self.outputs, np.float32), (len(frames), 1))


@pytest.mark.parametrize(
    ("raw", "percent"),
    [
        pytest.param(0.0, -2.0, id="first class"),
        pytest.param(0.25, -1.5, id="between two"),
        pytest.param(-0.5, -2.0, id="below the first"),
        pytest.param(7.0, 8.0, id="above the last"),
    ],
)
def test_return_map_is_interpolated_and_clipped(tmp_path: Path, raw: float, percent: float) -> None:
    outputs = tuple(Output(name=name, return_map=RETURN_MAP) for name in OUTPUT_NAMES)  # type: ignore[arg-type]
    predictor = Predictor(loaded(tmp_path / "model", ConstantEngine(raw, raw, raw), outputs=outputs), max_batch=10)
    assert predictor.predict(Series(minutes(200))).values_pct.tolist() == [[percent] * 3]


def test_a_flat_window_has_no_range(tmp_path: Path) -> None:
    flat = minutes(200)
    flat = Candles(flat.symbol, flat.interval, flat.open_time, Columns(*(np.full(200, 7.0) for _ in Columns._fields)), flat.filled)
    outputs = tuple(Output(name=name, unit="window_range") for name in OUTPUT_NAMES)  # type: ignore[arg-type]
    predictor = Predictor(loaded(tmp_path / "model", ConstantEngine(1, -1, 0.5), outputs=outputs), max_batch=10)
    assert predictor.predict(Series(flat)).values_pct.tolist() == [[0, 0, 0]]


@pytest.mark.parametrize(
    ("outputs", "error", "message"),
    [
        pytest.param((1.0,) * 4, RuntimeError, r"\(10, 4\)", id="too many"),
        pytest.param((1.0, float("nan"), 1.0), ModelError, "model", id="NaN"),
    ],
)
def test_rejects_invalid_engine_outputs(tmp_path: Path, outputs: tuple[float, ...], error: type[Exception], message: str) -> None:
    predictor = Predictor(loaded(tmp_path / "model", ConstantEngine(*outputs)), max_batch=10)
    with pytest.raises(error, match=message):
        predictor.predict(Series(minutes(215)))


def test_frames_need_ranges_for_window_range_outputs(tmp_path: Path) -> None:
    outputs = (Output(name="maxRisePct"), Output(name="maxDeclinePct", unit="window_range"), Output(name="endChangePct"))
    predictor = Predictor(loaded(tmp_path / "model", ConstantEngine(1, -2, 3), outputs=outputs), max_batch=10)
    frames = np.zeros((2, 200, 150, 3), np.uint8)
    with pytest.raises(InvalidInput, match="/windowRangePct"):
        predictor.predict_frames(frames, None)
    assert predictor.predict_frames(frames, np.array([0.5, 4.0])).tolist() == [[1, -1, 3], [1, -8, 3]]
