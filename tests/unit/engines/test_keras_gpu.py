"""The GPU engine on a CPU: first on TensorFlow, then all tests again on JAX only."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinfarm.engines import keras_gpu
from coinfarm.engines.backends import open_device
from coinfarm.engines.engine import is_streaming, takes_rows
from coinfarm.engines.keras_columns import split_network
from coinfarm.engines.keras_gpu import KerasGpuEngine, render_rows
from coinfarm.errors import ModelError
from coinfarm.models.bundle import Bundle
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.prediction.model_manager import LoadedModel
from coinfarm.prediction.predictor import Predictor
from coinfarm.prediction.series import Series
from image_render.render import render_frames
from image_render.rows import pack_rows
from image_render.spec import STANDARD, FrameSpec
from image_render.windows import Columns, windows
from tests.support.candle_strategies import series_in_ticks
from tests.support.fake_models import members_bundle
from tests.support.synthetic_candles import minutes

pytestmark = pytest.mark.tensorflow

BACKEND = os.environ.get("KERAS_BACKEND", "tensorflow")
CANDLES = minutes(220)
VIEW = windows(CANDLES.columns)
ROWS, FRAMES = pack_rows(VIEW), render_frames(VIEW)
Build = Callable[..., Any]
NOT_ON_JAX = {
    "test_rejects_a_backend_without_a_gpu",
    "test_all_tests_pass_on_jax_without_tensorflow",
}


@pytest.fixture(scope="module", autouse=True)
def keras() -> Iterator[ModuleType]:
    from coinfarm.engines.startup_logs import suppress_startup_logs

    if BACKEND == "jax":
        sys.modules["tensorflow"] = None  # type: ignore[assignment] # prevents the import: JAX must work without it
    with suppress_startup_logs():
        import keras
    assert keras.backend.backend() == BACKEND
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras_gpu, "_MAX_ON_CPU", 4)  # each batch size is compiled
        yield keras


@pytest.fixture(scope="module")
def network(keras: ModuleType) -> Build:
    """Builds a small network; `outputs` is the number of its outputs."""

    def build(outputs: int = 3, seed: int = 1) -> Any:
        frame = keras.Input(STANDARD.shape)
        x = keras.layers.Conv2D(4, 10, 10, use_bias=False, kernel_initializer="zeros")(frame)
        x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
        x = keras.layers.Dropout(0.5)(keras.layers.Flatten()(x))
        model = keras.Model(frame, keras.layers.Dense(outputs, kernel_initializer="zeros")(x))
        random = np.random.default_rng(seed)  # Keras' own initializers take seconds on JAX
        model.set_weights(
            [random.uniform(-0.1, 0.1, one.shape) if one.ndim > 1 else random.uniform(0.5, 1.5, one.shape) for one in model.get_weights()]
        )
        return model

    return build


@pytest.fixture(scope="module")
def bundle(network: Build, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("model")
    network().save(folder / "model.keras")
    return Bundle.create(folder, name="small")


@pytest.fixture(scope="module")
def engine(bundle: Bundle) -> KerasGpuEngine:
    """An engine in float32, for exact comparisons."""
    return KerasGpuEngine(bundle, "cpu", "f32")


def keras_predictions(network: Any) -> Any:
    """Keras' own predictions for the frames, `(21, outputs)`."""
    return np.asarray(network(FRAMES.astype(np.float32), training=False))


@pytest.mark.parametrize("spec", [FrameSpec(3, 5), FrameSpec(4, 150), STANDARD], ids=str)
@settings(max_examples=10)
@given(data=st.data())
def test_rendered_frames_equal_render_frames(data: st.DataObject, spec: FrameSpec) -> None:
    from keras import ops

    every = windows(data.draw(series_in_ticks(spec.window_candles + 1, spec.price_rows)), spec)
    on_device = render_rows(ops.convert_to_tensor(pack_rows(every, spec)), spec.price_rows)
    np.testing.assert_array_equal(np.asarray(on_device), render_frames(every, spec))


FLAT = Columns(*(np.full((1, 200), 100.0) for _ in Columns._fields))


def test_compiled_rendering_equals_render_frames() -> None:
    without_volume = VIEW._replace(volume=np.zeros(VIEW.volume.shape))
    view = Columns(*(np.concatenate(columns) for columns in zip(VIEW, FLAT, without_volume, strict=True)))
    compiled = open_device("cpu").compile(lambda _, rows: render_rows(rows), [])
    on_device = np.asarray(compiled(pack_rows(view)))
    assert on_device.dtype == np.uint8
    np.testing.assert_array_equal(on_device, render_frames(view))


def column_networks(keras: ModuleType) -> dict[str, Any]:
    """Networks whose first layer is linear in single candles, and one whose first layer is not."""
    layers = keras.layers
    frame = keras.Input(STANDARD.shape)
    columns = layers.Reshape((200, 450))(frame)
    first = {
        "normalised": layers.ReLU()(layers.BatchNormalization()(layers.Conv1D(4, 1, use_bias=False)(columns))),
        "three candles": layers.ReLU()(layers.Conv1D(4, 3, 2, padding="same")(columns)),
        "image": layers.ReLU()(layers.Conv2D(4, (1, 150))(frame)),
        "activation": layers.Conv1D(4, 3, activation="relu")(columns),
    }
    models = {name: keras.Model(frame, layers.Dense(1)(layers.Flatten()(x))) for name, x in first.items()}
    for model in models.values():
        random = np.random.default_rng(1)
        model.set_weights([random.uniform(-0.5, 0.5, weights.shape) ** (2 if weights.ndim == 1 else 1) for weights in model.get_weights()])
    return models


def test_looks_up_first_layers_that_are_linear_in_single_candles(keras: ModuleType, tmp_path: Path) -> None:
    models = column_networks(keras)
    split = {name: split_network(model) for name, model in models.items()}
    assert {name: each and each.tables.offsets.tolist() for name, each in split.items()} == {
        "normalised": [0],
        "three candles": [0, 1, 2],
        "image": [0],
        "activation": None,
    }
    names = ("three candles", "activation", "normalised")
    members = {name: models[each] for name, each in zip(OUTPUT_NAMES, names, strict=True)}
    engine = KerasGpuEngine(members_bundle(tmp_path, members, OUTPUT_NAMES), "cpu", "f32")
    expected = np.concatenate([keras_predictions(models[name]) for name in names], axis=1)
    np.testing.assert_allclose(engine.start_rows(ROWS)(), expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(engine.predict(FRAMES), expected, rtol=1e-4, atol=1e-4)


def test_predicts_like_keras_in_float32(network: Build, engine: KerasGpuEngine) -> None:
    outputs = engine.start_rows(ROWS)()
    assert (outputs.dtype, outputs.shape) == (np.float32, (21, 3))
    np.testing.assert_allclose(outputs, keras_predictions(network()), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(engine.predict(FRAMES), outputs, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(engine.predict(np.ascontiguousarray(FRAMES)), engine.predict(FRAMES))


@pytest.mark.parametrize("count", [0, 1, 2, 5, 21])
def test_predicts_any_number_of_frames_in_order(engine: KerasGpuEngine, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    expected = engine.start_rows(ROWS)()[:count]
    monkeypatch.setattr(engine, "batch_frames", 4)
    for outputs in (engine.start_rows(ROWS[:count])(), engine.predict(FRAMES[:count])):
        assert outputs.shape == (count, 3)
        np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("precision", "max_share"), [("bf16", 0.04), ("f16", 0.004)])
def test_mixed_precision_is_close_to_float32(bundle: Bundle, engine: KerasGpuEngine, precision: Any, max_share: float) -> None:
    exact, mixed = engine.start_rows(ROWS)(), KerasGpuEngine(bundle, "cpu", precision).start_rows(ROWS)()
    share = np.sqrt(((mixed - exact) ** 2).mean(axis=0)) / exact.std(axis=0)
    assert mixed.dtype == np.float32
    assert (share < max_share).all()
    assert (share > 1e-6).all()


def test_default_precision_is_the_fastest_of_the_device(bundle: Bundle) -> None:
    engine = KerasGpuEngine(bundle, "cpu")
    assert engine.name == "keras-cpu-bf16"
    assert BACKEND in engine.description.lower()
    assert engine.batch_frames in (1, 4)


def test_outputs_of_members_have_the_order_of_the_manifest(network: Build, tmp_path: Path) -> None:
    models = {name: network(1, seed=seed) for seed, name in enumerate(OUTPUT_NAMES)}
    order = ("endChangePct", "maxRisePct", "maxDeclinePct")
    bundle = members_bundle(tmp_path, models, order)
    expected = np.concatenate([keras_predictions(models[name]) for name in order], axis=1)
    np.testing.assert_allclose(KerasGpuEngine(bundle, "cpu", "f32").start_rows(ROWS)(), expected, rtol=1e-4, atol=1e-5)


def test_the_predictor_sends_rows_in_batches_of_the_engines_size(bundle: Bundle, engine: KerasGpuEngine, monkeypatch: Any) -> None:
    assert takes_rows(engine)
    assert is_streaming(engine)
    monkeypatch.setattr(engine, "batch_frames", 8)
    seen: list[tuple[int, ...]] = []
    start_rows = engine.start_rows
    monkeypatch.setattr(engine, "start_rows", lambda rows: (seen.append(rows.shape), start_rows(rows))[1])
    predictions = Predictor(LoadedModel(bundle, engine, 0.0), max_batch=100).predict(Series(CANDLES))
    assert seen == [(8, 200, 5), (8, 200, 5), (5, 200, 5)]
    np.testing.assert_allclose(predictions.values_pct, engine.predict(FRAMES), rtol=1e-5, atol=1e-6)


@pytest.mark.skipif(BACKEND == "jax", reason="JAX may see a GPU")
def test_rejects_a_backend_without_a_gpu(bundle: Bundle) -> None:
    with pytest.raises(ModelError, match="tensorflow"):
        KerasGpuEngine(bundle, "gpu")


@pytest.mark.skipif(BACKEND == "jax", reason="this is the run on JAX")
def test_all_tests_pass_on_jax_without_tensorflow(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junit-xml={report}", __file__]
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    outcomes = {case.get("name", "").partition("[")[0]: case.find("skipped") is None for case in ElementTree.parse(report).iter("testcase")}
    assert {name for name, ran in outcomes.items() if not ran} <= NOT_ON_JAX
    assert {name for name, ran in outcomes.items() if ran} >= {name for name in globals() if name.startswith("test_")} - NOT_ON_JAX
