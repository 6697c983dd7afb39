"""Compilation of networks that are small enough to compile in seconds."""

import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.cli import main
from coinfarm.compilation import attempts
from coinfarm.compilation import compile as compilation
from coinfarm.compilation.compile import Compilation, compile_bundle
from coinfarm.compilation.forms import COLUMN_TABLES_FILE, INT8
from coinfarm.compilation.quantisation import RECIPES
from coinfarm.compilation.sample import CoinSample, Sample
from coinfarm.engines.engine import takes_rows
from coinfarm.engines.keras import KerasEngine
from coinfarm.engines.loading import load_engine
from coinfarm.engines.openvino import openvino_engine
from coinfarm.errors import ModelError
from coinfarm.models.bundle import Bundle
from coinfarm.models.compiled_form import MAX_RMS_DIFFERENCE_SHARE, MIN_CORRELATION
from coinfarm.models.pointer import read_pointer
from coinfarm.models.store import ModelStore
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.storage import open_storage
from image_render.render import render_frames
from image_render.rows import rows_of_frames
from image_render.windows import windows
from tests.support.fake_models import members_bundle
from tests.support.synthetic_candles import minutes

pytestmark = pytest.mark.tensorflow

Build = Callable[..., Any]


@pytest.fixture(scope="module")
def sample() -> Sample:
    """Fewer frames than `Sample.from_candles` accepts."""
    frames = render_frames(windows(minutes(36_000).columns, stride=200))
    return Sample(frames[::3], np.concatenate([frames[1::3], frames[2::3]]), ("DEMOUSD",))


@pytest.fixture(scope="module")
def network(keras: ModuleType) -> Build:
    """Builds a network of four convolutions and two dense layers."""

    def build(outputs: int = 3, seed: int = 1) -> Any:
        keras.utils.set_random_seed(seed)
        frame = keras.Input((200, 150, 3))
        x = keras.layers.AveragePooling2D(5)(frame)
        for _ in range(4):
            x = keras.layers.Conv2D(8, 3, 2, padding="same", use_bias=False)(x)
            x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
        x = keras.layers.Dense(16, activation="leaky_relu")(keras.layers.Flatten()(x))
        return keras.Model(frame, keras.layers.Dense(outputs)(x))

    return build


@pytest.fixture(scope="module")
def source(network: Build, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("source")
    network().save(folder / "model.keras")
    return Bundle.create(folder, name="small")


@pytest.fixture(scope="module")
def compiled(source: Bundle, sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Compilation:
    return compile_bundle(source, tmp_path_factory.mktemp("compiled"), sample, max_bytes=None, progress=lambda _: None)


@pytest.fixture
def on_avx2(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor with neither bf16 nor VNNI."""
    monkeypatch.setattr(attempts, "processor_flags", lambda: frozenset({"sse4_2", "avx2"}))


@pytest.fixture
def without_int8(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quantisation takes seconds."""
    monkeypatch.setattr(attempts, "recipes", lambda graph: ())


def test_compiled_forms_predict_like_keras(compiled: Compilation, sample: Sample) -> None:
    expected = KerasEngine(compiled.bundle, 100).predict(sample.parity)
    forms = compiled.bundle.manifest.engines.forms
    assert {"f32", "int8"} <= {form.name for form in forms}
    for form in forms:
        outputs = openvino_engine(compiled.bundle, form, 100).predict(sample.parity)
        share = np.sqrt(((outputs - expected) ** 2).mean(axis=0)) / expected.std(axis=0)
        assert (share <= MAX_RMS_DIFFERENCE_SHARE).all()
        np.testing.assert_allclose(share, [form.parity[name].rms_difference_share for name in OUTPUT_NAMES], rtol=0.1, atol=1e-4)


def test_the_manifest_describes_the_measurement_in_the_same_version(compiled: Compilation, source: Bundle) -> None:
    assert compiled.bundle.manifest.version == source.manifest.version
    assert not Bundle.open(source.folder).manifest.engines.forms
    engines = Bundle.open(compiled.bundle.folder).manifest.engines
    assert engines.conditions is not None
    assert (engines.conditions.candles, engines.conditions.calibration_frames, engines.conditions.parity_frames) == (("DEMOUSD",), 60, 120)
    speeds = [form.frames_per_s for form in engines.forms]
    assert speeds == sorted(speeds, reverse=True)
    assert all(parity.correlation >= MIN_CORRELATION for form in engines.forms for parity in form.parity.values())


@pytest.mark.usefixtures("on_avx2")
def test_omits_forms_without_parity_and_those_of_other_processors(
    compiled: Compilation, sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The source has forms already, which are replaced."""
    monkeypatch.setattr(attempts, "passes", lambda measured: all(of.rms_difference_share < 0.001 for of in measured.values()))
    monkeypatch.setattr(attempts, "recipes", lambda graph: RECIPES[:2])
    found = compile_bundle(compiled.bundle, tmp_path, sample, max_bytes=None, progress=lambda _: None)
    assert [form.name for form in found.bundle.manifest.engines.forms] == ["f32"]
    rejected = {attempt.form.name: attempt.parity is not None for attempt in found.attempts if attempt.rejection}
    assert rejected == {"bf16": False, "int8": True, "int8-bf16": False}
    assert INT8.file not in found.bundle.manifest.files
    assert not (tmp_path / INT8.file).exists()


@pytest.mark.usefixtures("on_avx2", "without_int8")
def test_omits_forms_beyond_the_size_limit(source: Bundle, sample: Sample, tmp_path: Path) -> None:
    bytes_without = sum(file.bytes for file in source.manifest.files.values())
    found = compile_bundle(source, tmp_path, sample, max_bytes=bytes_without + 1, progress=lambda _: None)
    assert found.bundle.manifest.engines.forms == ()
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["manifest.json", "model.keras"]


@pytest.mark.usefixtures("on_avx2", "without_int8")
def test_compiles_three_networks_into_one_graph(network: Build, sample: Sample, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    models = {name: network(outputs=1, seed=seed) for seed, name in enumerate(OUTPUT_NAMES)}
    source = members_bundle(tmp_path / "source", models, OUTPUT_NAMES)
    bundle = compile_bundle(source, tmp_path / "compiled", sample, max_bytes=None, progress=lambda _: None).bundle
    engine = load_engine(bundle, "openvino-f32", max_batch=100)
    frames = sample.parity[:30]
    np.testing.assert_allclose(engine.predict(frames), KerasEngine(bundle, 100).predict(frames), rtol=0.01, atol=0.005)


@pytest.mark.usefixtures("on_avx2", "without_int8")
def test_forms_slower_than_keras_are_rejected(source: Bundle, sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        compilation, "frames_per_s", lambda engines, frames: [1000.0 if engine.name == "keras" else 999.0 for engine in engines]
    )
    found = compile_bundle(source, tmp_path, sample, max_bytes=None, progress=lambda _: None)
    assert found.bundle.manifest.engines.forms == ()
    assert {attempt.form.name: attempt.frames_per_s for attempt in found.attempts} == {"f32": 999.0, "bf16": None}
    assert Bundle.open(tmp_path).manifest.files.keys() == {"model.keras"}


@pytest.mark.usefixtures("without_int8")
def test_a_keras_file_is_published_compiled(source: Bundle, tmp_path: Path) -> None:
    candles, root = tmp_path / "DEMOUSD-1m.parquet", tmp_path / "root"
    candles.write_bytes(parquet_from_candles(minutes(300_000)))
    shutil.copy(source.folder / "model.keras", tmp_path)  # away from its manifest
    command = ["model", "publish", tmp_path / "model.keras", "--to", root, "--promote"]
    options = ["--name", "mine", "--unit", "window_range", "--candles", candles]
    result = CliRunner().invoke(main, [str(argument) for argument in (*command, *options)])
    assert result.exit_code == 0, result.output
    version = result.stdout.strip()
    manifest = ModelStore(open_storage(str(root))).manifest(version)
    assert (manifest.name, manifest.outputs[0].unit) == ("mine", "window_range")
    assert manifest.engines.forms
    assert "1,000 frames" in result.stderr
    pointer = read_pointer(open_storage(str(root)))
    assert pointer is not None
    assert pointer[0].version == version


def test_a_model_that_predicts_nan_is_rejected(network: Build, sample: Sample, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    model = network()
    model.set_weights([np.full_like(weights, np.nan) for weights in model.get_weights()])
    model.save(tmp_path / "source" / "model.keras")
    with pytest.raises(ModelError, match="120 of 120"):
        compile_bundle(Bundle.create(tmp_path / "source", name="nan"), tmp_path, sample, max_bytes=None, progress=lambda _: None)


def test_a_model_that_cannot_be_converted_is_published_for_keras(
    source: Bundle, sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(traced: Any) -> None:
        raise RuntimeError("Exception from src/frontend.cpp:151:\n\nSummary:\n-- No conversion rule for StringSplit\nSee the guide.")

    monkeypatch.setattr(attempts, "convert_model", fail)
    coins = CoinSample((minutes(1_000),), ("DEMOUSD",))
    monkeypatch.setattr(CoinSample, "synthetic", lambda: coins)
    monkeypatch.setattr(Sample, "from_candles", lambda *_: sample)
    result = CliRunner().invoke(main, ["model", "publish", str(source.folder), "--to", str(tmp_path)])
    assert result.exit_code == 0, result.output
    manifest = ModelStore(open_storage(str(tmp_path))).manifest(result.stdout.strip())
    assert manifest.engines.forms == ()
    assert manifest.engines.conditions is not None
    assert "StringSplit" in result.stderr
    assert "coinfarm[keras]" in result.stderr


@pytest.fixture(scope="module")
def columns_network(keras: ModuleType) -> Any:
    """One candle at a time, then convolutions along the candles."""
    keras.utils.set_random_seed(1)
    frame = keras.Input((200, 150, 3))
    x = keras.layers.Reshape((200, 450))(frame)
    for kernel, strides in ((1, 1), (3, 2), (3, 2), (3, 2)):
        x = keras.layers.Conv1D(16, kernel, strides, padding="same", use_bias=False)(x)
        x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    x = keras.layers.Dense(16, activation="leaky_relu")(keras.layers.Flatten()(x))
    return keras.Model(frame, keras.layers.Dense(3)(x))


@pytest.mark.usefixtures("on_avx2")
def test_a_network_on_columns_takes_rows_also_in_8_bits(columns_network: Any, sample: Sample, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    columns_network.save(tmp_path / "source" / "model.keras")
    source = Bundle.create(tmp_path / "source", name="columns")
    compile_bundle(source, tmp_path / "compiled", sample, max_bytes=None, progress=lambda _: None)
    bundle = Bundle.open(tmp_path / "compiled")
    forms = {form.name: form for form in bundle.manifest.engines.forms}
    assert set(forms) == {"f32", "int8"}
    assert {form.tables for form in forms.values()} == {COLUMN_TABLES_FILE}
    expected = KerasEngine(bundle, 100).predict(sample.parity)
    rows = rows_of_frames(sample.parity)
    for form, tolerance in ((forms["f32"], 0.01), (forms["int8"], MAX_RMS_DIFFERENCE_SHARE)):
        engine = openvino_engine(bundle, form, 100)
        assert takes_rows(engine)
        outputs = engine.start_rows(rows)()
        np.testing.assert_array_equal(engine.predict(sample.parity), outputs)
        assert (np.sqrt(((outputs - expected) ** 2).mean(axis=0)) / expected.std(axis=0) <= tolerance).all()
    again = compile_bundle(bundle, tmp_path / "again", sample, max_bytes=1, progress=lambda _: None)
    assert again.bundle.manifest.engines.forms == ()
    assert not (tmp_path / "again" / COLUMN_TABLES_FILE).exists()
