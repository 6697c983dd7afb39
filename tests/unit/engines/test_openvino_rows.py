"""The engine that takes rows, with tables of random weights."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from coinfarm.engines.engine import takes_rows
from coinfarm.engines.loading import load_engine
from coinfarm.engines.openvino import OpenVinoRowsEngine
from coinfarm.errors import ModelError
from coinfarm.models.bundle import Bundle
from coinfarm.prediction.model_manager import LoadedModel
from coinfarm.prediction.predictor import Predictor
from coinfarm.prediction.series import Series
from image_render.render import render_frames
from image_render.rows import pack_rows
from image_render.windows import windows
from tests.support.compiled_models import random_tables, rows_bundle
from tests.support.synthetic_candles import minutes

CANDLES = minutes(310)
VIEW = windows(CANDLES.columns)
ROWS, FRAMES = pack_rows(VIEW), render_frames(VIEW)
TABLES = random_tables(offsets=(-1, 0, 1))
EXPECTED = TABLES.look_up(ROWS).mean(axis=1)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return rows_bundle(tmp_path_factory.mktemp("models") / "rows", TABLES)


@pytest.fixture(scope="module")
def engine(bundle: Bundle) -> OpenVinoRowsEngine:
    engine = load_engine(bundle, "auto", max_batch=100)
    assert isinstance(engine, OpenVinoRowsEngine)
    return engine


@pytest.mark.parametrize("number", [0, 1, 7, 8, 9, 16, 111])
def test_rows_and_frames_have_the_same_outputs(engine: OpenVinoRowsEngine, number: int) -> None:
    outputs = engine.start_rows(ROWS[:number])()
    assert (outputs.dtype, outputs.shape) == (np.float32, (number, 3))
    np.testing.assert_allclose(outputs, EXPECTED[:number], rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(engine.predict(FRAMES[:number]), outputs)
    np.testing.assert_array_equal(engine.predict(np.ascontiguousarray(FRAMES[:number])), outputs)


def test_frames_that_no_candles_have_are_predicted_pixel_by_pixel(engine: OpenVinoRowsEngine) -> None:
    frames = np.random.default_rng(0).integers(0, 2, (19, 200, 150, 3)).astype(np.uint8)
    np.testing.assert_allclose(engine.predict(frames), TABLES.multiply(frames).mean(axis=1), rtol=1e-3, atol=1e-4)


def test_threads_get_their_own_outputs(engine: OpenVinoRowsEngine) -> None:
    parts = [slice(at, at + 1 + at % 20) for at in range(90)]
    expected = [engine.start_rows(ROWS[part])() for part in parts]
    with ThreadPoolExecutor(8) as threads:
        outputs = list(threads.map(lambda part: engine.start_rows(ROWS[part])(), parts))
        from_frames = list(threads.map(lambda part: engine.predict(FRAMES[part]), parts))
    for found in (outputs, from_frames):
        for one, same in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, same)


def test_pending_batches_can_be_read_in_any_order(engine: OpenVinoRowsEngine) -> None:
    parts = [ROWS[at : at + 17 + at % 5] for at in range(0, 90, 20)]
    pending = [engine.start_rows(part) for part in parts]
    for part, outputs in reversed(list(zip(parts, pending, strict=True))):
        np.testing.assert_array_equal(outputs(), engine.start_rows(part)())


def test_the_predictor_renders_no_pixels(bundle: Bundle, engine: OpenVinoRowsEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert takes_rows(engine)
    monkeypatch.setattr("coinfarm.prediction.predictor.render_frames", None)
    predicted = Predictor(LoadedModel(bundle, engine, 0.0), max_batch=100).predict(Series(CANDLES)).values_pct
    np.testing.assert_allclose(predicted, EXPECTED, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("max_batch", "batch"), [(1, 1), (7, 7), (8, 8), (100, 96)])
def test_batches_are_whole_chunks_within_the_maximum(bundle: Bundle, max_batch: int, batch: int) -> None:
    assert OpenVinoRowsEngine(bundle, bundle.manifest.engines.forms[0], max_batch).batch_frames == batch


def test_rejects_a_graph_with_other_features(bundle: Bundle, tmp_path: Path) -> None:
    random_tables(features=4).save(bundle.folder / "compiled" / "other.npz")
    form = bundle.manifest.engines.forms[0].model_copy(update={"tables": "compiled/other.npz"})
    with pytest.raises(ModelError, match=r"wide\.xml"):
        OpenVinoRowsEngine(bundle, form, 100)
