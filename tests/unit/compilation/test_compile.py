"""From a Keras model to compiled forms, on networks so small that they compile in seconds."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.cli import main
from coinfarm.compilation import compile as compilation
from coinfarm.compilation.compile import Compilation, compile_bundle
from coinfarm.compilation.forms import INT8
from coinfarm.compilation.quantisation import FloatLayers, has_layers_to_quantise, quantise
from coinfarm.compilation.sample import Sample
from coinfarm.compilation.tools import convert_model
from coinfarm.engines.keras import KerasEngine
from coinfarm.engines.loading import load_engine
from coinfarm.engines.openvino import OpenVinoEngine
from coinfarm.errors import ModelError
from coinfarm.models.bundle import Bundle
from coinfarm.models.compiled_form import MAX_RMS_DIFFERENCE_SHARE, MIN_CORRELATION
from coinfarm.models.manifest import Member
from coinfarm.models.pointer import read_pointer
from coinfarm.models.store import ModelStore
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.storage import open_storage
from tests.support.synthetic_candles import minutes

pytestmark = pytest.mark.tensorflow

Build = Callable[..., Any]
AVX2 = frozenset({"sse4_2", "avx2"})


@pytest.fixture(scope="module")
def sample() -> Sample:
    return Sample.from_candles([minutes(300_000)], ("DEMOUSD",))


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
    return Bundle.seal(folder, name="small")


@pytest.fixture(scope="module")
def compiled(source: Bundle, sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Compilation:
    return compile_bundle(source, tmp_path_factory.mktemp("compiled"), sample, max_bytes=None, progress=lambda _: None)


@pytest.fixture
def on_avx2(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A processor with neither bf16 nor VNNI."""
    monkeypatch.setattr(compilation, "processor_flags", lambda: AVX2)
    return


def test_every_form_that_was_kept_says_what_keras_says(compiled: Compilation, sample: Sample) -> None:
    expected = KerasEngine(compiled.bundle, 100).predict(sample.parity)
    forms = compiled.bundle.manifest.engines.forms
    assert {"f32", "int8"} <= {form.name for form in forms}
    for form in forms:
        answer = OpenVinoEngine(compiled.bundle, form).predict(sample.parity)
        share = np.sqrt(((answer - expected) ** 2).mean(axis=0)) / expected.std(axis=0)
        assert (share <= MAX_RMS_DIFFERENCE_SHARE).all()
        np.testing.assert_allclose(share, [form.parity[name].rms_difference_share for name in OUTPUT_NAMES], rtol=0.1, atol=1e-4)


def test_the_manifest_says_how_the_forms_were_judged(compiled: Compilation) -> None:
    engines = Bundle.open(compiled.bundle.folder).manifest.engines
    assert engines.trial is not None
    assert (engines.trial.candles, engines.trial.calibration_frames, engines.trial.parity_frames) == (("DEMOUSD",), 500, 1000)
    speeds = [form.frames_per_s for form in engines.forms]
    assert speeds == sorted(speeds, reverse=True)
    assert all(parity.correlation >= MIN_CORRELATION for form in engines.forms for parity in form.parity.values())


def test_what_is_compiled_keeps_its_version_and_its_source_is_left_alone(compiled: Compilation, source: Bundle) -> None:
    assert compiled.bundle.manifest.version == source.manifest.version
    assert Bundle.open(source.folder).manifest == source.manifest
    assert not (source.folder / "compiled").exists()


def test_a_damaged_compiled_file_is_refused(compiled: Compilation, sample: Sample, tmp_path: Path) -> None:
    again = compile_bundle(compiled.bundle, tmp_path, sample, max_bytes=None, progress=lambda _: None).bundle
    weights = again.folder / "compiled" / "int8.bin"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(ModelError, match=r"int8\.bin is not the file that its manifest describes"):
        Bundle.open(again.folder)


@pytest.mark.usefixtures("on_avx2")
def test_what_this_processor_cannot_run_is_not_published(source: Bundle, sample: Sample, tmp_path: Path) -> None:
    found = compile_bundle(source, tmp_path, sample, max_bytes=None, progress=lambda _: None)
    assert {form.name for form in found.bundle.manifest.engines.forms} == {"f32", "int8"}
    assert {attempt.form.name: attempt.refusal for attempt in found.attempts if attempt.refusal} == {
        "bf16": "not for this processor",
        "int8-bf16": "not for this processor",
    }


def test_a_form_that_is_too_far_off_is_not_published(
    source: Bundle, sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compilation, "passes", lambda measured: all(of.rms_difference_share < 0.001 for of in measured.values()))
    found = compile_bundle(source, tmp_path, sample, max_bytes=None, progress=lambda _: None)
    refused = {attempt.form.name: attempt for attempt in found.attempts if attempt.refusal}
    assert refused["int8"].refusal == "too far from the model"
    assert refused["int8"].parity is not None
    assert INT8.file not in found.bundle.manifest.files
    assert not (tmp_path / INT8.file).exists()


def test_the_slowest_forms_are_left_out_of_a_bundle_that_would_be_too_large(source: Bundle, sample: Sample, tmp_path: Path) -> None:
    bytes_without = sum(file.bytes for file in source.manifest.files.values())
    found = compile_bundle(source, tmp_path, sample, max_bytes=bytes_without + 1, progress=lambda _: None)
    assert found.bundle.manifest.engines.forms == ()
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["manifest.json", "model.keras"]


def test_three_networks_become_one_graph(network: Build, sample: Sample, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    for seed, name in enumerate(OUTPUT_NAMES):
        network(outputs=1, seed=seed).save(tmp_path / "source" / f"{name}.keras")
    members = tuple(Member(file=f"{name}.keras", outputs=(name,)) for name in OUTPUT_NAMES)
    source = Bundle.seal(tmp_path / "source", name="three", members=members)
    bundle = compile_bundle(source, tmp_path / "compiled", sample, max_bytes=None, progress=lambda _: None).bundle
    engine = load_engine(bundle, "openvino-f32", max_batch=100)
    frames = sample.parity[:30]
    np.testing.assert_allclose(engine.predict(frames), KerasEngine(bundle, 100).predict(frames), rtol=0.01, atol=0.005)


def test_a_layer_that_openvino_does_not_know_is_told_with_the_way_out(
    source: Bundle, sample: Sample, tmp_path: Path, monkeypatch: Any
) -> None:
    def refuse(traced: Any) -> None:
        raise RuntimeError("No conversion rule for StringSplit")

    monkeypatch.setattr(compilation, "convert_model", refuse)
    with pytest.raises(ModelError, match=r"cannot be compiled: No conversion rule for StringSplit; published with --no-compile"):
        compile_bundle(source, tmp_path, sample, max_bytes=None, progress=lambda _: None)


def quantised_layers(graph: Any) -> int:
    """How many layers take what was rounded to bytes."""

    def takes_bytes(operation: Any) -> bool:
        before = operation.input_value(0).get_node()
        while before.get_type_name() in ("Reshape", "Transpose"):
            before = before.input_value(0).get_node()
        return bool(before.get_type_name() == "FakeQuantize")

    return sum(takes_bytes(operation) for operation in graph.get_ops() if operation.get_type_name() in ("Convolution", "MatMul"))


@pytest.mark.parametrize(("wide", "count"), [(FloatLayers(1, 1), 4), (FloatLayers(2, 2), 2), (FloatLayers(3, 2), 1)])
def test_the_ends_are_left_wide(source: Bundle, sample: Sample, wide: FloatLayers, count: int) -> None:
    graph = convert_model(KerasEngine(source, 100).traced)
    assert quantised_layers(quantise(graph, sample.calibration[:10], wide)) == count
    assert has_layers_to_quantise(graph, wide)


def test_a_network_may_be_all_ends(source: Bundle) -> None:
    assert not has_layers_to_quantise(convert_model(KerasEngine(source, 100).traced), FloatLayers(4, 2))


class TestPublishing:
    """`coinfarm model publish`, from a bare Keras file to a version that serves."""

    @pytest.fixture
    def keras_file(self, source: Bundle) -> Path:
        return source.folder / "model.keras"

    @pytest.fixture
    def candles(self, tmp_path: Path) -> Path:
        path = tmp_path / "DEMOUSD-1m.parquet"
        path.write_bytes(parquet_from_candles(minutes(300_000)))
        return path

    def publish(self, *arguments: object) -> Result:
        return CliRunner().invoke(main, ["model", "publish", *map(str, arguments)])

    def test_a_bare_file_becomes_a_compiled_version_that_serves(self, keras_file: Path, candles: Path, tmp_path: Path) -> None:
        root = tmp_path / "root"
        told = self.publish(keras_file, "--to", root, "--promote", "--name", "mine", "--unit", "window_range", "--candles", candles)
        assert told.exit_code == 0, told.output
        version = told.stdout.strip()
        manifest = ModelStore(open_storage(str(root))).manifest(version)
        assert (manifest.name, manifest.outputs[0].unit) == ("mine", "window_range")
        assert manifest.engines.forms
        assert "distance from Keras on 1,000 frames" in told.stderr
        pointer = read_pointer(open_storage(str(root)))
        assert pointer is not None
        assert pointer[0].version == version

    def test_without_compiling_the_file_is_published_as_it_is(self, keras_file: Path, tmp_path: Path) -> None:
        root = tmp_path / "root"
        told = self.publish(keras_file, "--to", root, "--no-compile")
        assert told.exit_code == 0, told.output
        manifest = ModelStore(open_storage(str(root))).manifest(told.stdout.strip())
        assert (manifest.name, list(manifest.files)) == ("model", ["model.keras"])

    def test_an_older_format_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "model.h5").write_bytes(b"\x89HDF")
        told = self.publish(tmp_path / "model.h5", "--to", tmp_path / "root")
        assert told.exit_code == 1
        assert "is neither a bundle's folder nor a .keras file" in told.stderr

    def test_a_file_that_is_no_model_is_refused(self, tmp_path: Path, candles: Path) -> None:
        (tmp_path / "model.keras").write_text("nothing")
        told = self.publish(tmp_path / "model.keras", "--to", tmp_path / "root", "--candles", candles)
        assert told.exit_code == 1
        assert "cannot be loaded" in told.stderr
        assert not (tmp_path / "root" / "versions").exists()
