import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from coinfarm.compilation.forms import BF16, F32, INT8
from coinfarm.engines import backends, keras, keras_gpu, loading
from coinfarm.engines.loading import EngineChoice, choose_form, load_engine
from coinfarm.errors import ModelError
from coinfarm.models.bundle import Bundle
from coinfarm.models.compiled_form import CompiledForm
from tests.support.compiled_models import BY_SPEED, compiled_bundle

ZEN4 = frozenset({"sse4_2", "avx2", "avx512_vnni", "avx512_bf16"})
CASCADE_LAKE = frozenset({"sse4_2", "avx2", "avx512_vnni"})
ROME = frozenset({"sse4_2", "avx2"})
SANDY_BRIDGE = frozenset({"sse4_2", "avx"})
GRAVITON = frozenset({"asimd", "bf16", "i8mm"})


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide a GPU of the machine that runs the tests."""
    monkeypatch.setattr(loading, "has_gpu", lambda: False)
    monkeypatch.setattr(backends, "select_gpu_backend", lambda: pytest.fail("imported a backend"))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle with all forms."""
    return compiled_bundle(tmp_path_factory.mktemp("models") / "all", *BY_SPEED)


def chosen(bundle: Bundle, choice: EngineChoice, flags: frozenset[str]) -> str | None:
    form = choose_form(bundle, choice, flags)
    return None if form is None else form.name


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        pytest.param(ZEN4, "int8-bf16", id="bf16 and VNNI"),
        pytest.param(CASCADE_LAKE, "int8", id="VNNI"),
        pytest.param(ROME, "int8", id="AVX2"),
        pytest.param(SANDY_BRIDGE, "f32", id="older than AVX2"),
        pytest.param(GRAVITON, None, id="ARM: Keras"),
        pytest.param(frozenset(), None, id="unknown: Keras"),
    ],
)
def test_auto_is_the_fastest_supported_form(bundle: Bundle, flags: frozenset[str], name: str | None) -> None:
    assert chosen(bundle, "auto", flags) == name


@pytest.mark.parametrize(
    ("forms", "flags", "name"),
    [
        pytest.param((BF16, F32), ZEN4, "bf16", id="no int8"),
        pytest.param((INT8,), SANDY_BRIDGE, None, id="no supported form: Keras"),
        pytest.param((), ZEN4, None, id="no form: Keras"),
    ],
)
def test_auto_uses_only_published_forms(forms: tuple[CompiledForm, ...], flags: frozenset[str], name: str | None, tmp_path: Path) -> None:
    assert chosen(compiled_bundle(tmp_path / "some", *forms), "auto", flags) == name


@pytest.mark.parametrize("choice", ["openvino-f32", "openvino-bf16", "openvino-int8", "openvino-int8-bf16"])
def test_chooses_a_form_by_name(bundle: Bundle, choice: EngineChoice) -> None:
    assert f"openvino-{chosen(bundle, choice, ZEN4)}" == choice


def test_rejects_a_form_that_the_processor_does_not_support(bundle: Bundle) -> None:
    with pytest.raises(ModelError, match="avx512_bf16 or amx_bf16"):
        choose_form(bundle, "openvino-bf16", ROME)


def test_rejects_an_unpublished_form_and_lists_the_available_ones(tmp_path: Path) -> None:
    bundle = compiled_bundle(tmp_path / "wide", BF16, F32)
    with pytest.raises(ModelError, match=r"auto, keras, openvino-bf16, openvino-f32$"):
        choose_form(bundle, "openvino-int8", ZEN4)


def test_the_engine_name_contains_the_form(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "processor_flags", lambda: ROME)
    assert load_engine(bundle, "auto", max_batch=100).name == "openvino-int8"


@pytest.mark.parametrize("choice", ["auto", "keras-gpu"])
def test_prefers_a_gpu_to_compiled_forms(bundle: Bundle, monkeypatch: pytest.MonkeyPatch, choice: EngineChoice) -> None:
    monkeypatch.setattr(loading, "has_gpu", lambda: True)
    monkeypatch.setattr(backends, "select_gpu_backend", lambda: "jax")
    monkeypatch.setattr(keras_gpu, "KerasGpuEngine", lambda bundle: SimpleNamespace(name="keras-gpu-bf16"))
    assert load_engine(bundle, choice, max_batch=100).name == "keras-gpu-bf16"


def test_warns_of_a_gpu_that_no_backend_can_use(bundle: Bundle, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(loading, "has_gpu", lambda: True)
    monkeypatch.setattr(loading, "processor_flags", lambda: ROME)
    monkeypatch.setattr(backends, "select_gpu_backend", lambda: None)
    assert load_engine(bundle, "auto", max_batch=100).name == "openvino-int8"
    assert "pip install 'coinfarm[gpu]'" in caplog.text


def test_rejects_keras_gpu_without_a_usable_gpu(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "select_gpu_backend", lambda: None)
    with pytest.raises(ModelError, match=r"coinfarm\[gpu\]"):
        load_engine(bundle, "keras-gpu", max_batch=100)


@pytest.mark.parametrize("missing", ["keras", "tensorflow"])
@pytest.mark.parametrize("choice", ["auto", "keras"])
def test_names_the_extra_if_keras_is_missing(bundle: Bundle, choice: EngineChoice, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "find_spec", lambda name: None if name == missing else name)
    monkeypatch.setattr(loading, "processor_flags", frozenset)
    with pytest.raises(ModelError, match=r"pip install 'coinfarm\[keras\]'"):
        load_engine(bundle, choice, max_batch=100)


def test_without_openvino_auto_is_keras_and_compiled_forms_are_rejected(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "find_spec", lambda name: None if name == "openvino" else name)
    monkeypatch.setattr(loading, "processor_flags", lambda: ZEN4)
    monkeypatch.setattr(keras, "KerasEngine", lambda bundle, max_batch: SimpleNamespace(name="keras"))
    assert load_engine(bundle, "auto", max_batch=100).name == "keras"
    with pytest.raises(ModelError, match="openvino-f32"):
        load_engine(bundle, "openvino-f32", max_batch=100)


@pytest.mark.parametrize(("threads", "expected"), [(3, "3"), (None, None)])
def test_tensorflow_gets_a_number_of_threads_only_with_a_limit(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, threads: int | None, expected: str | None
) -> None:
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        monkeypatch.setenv(name, "")  # so that what the engine sets is removed after the test
        monkeypatch.delenv(name)
    monkeypatch.setattr(loading, "engine_threads", lambda requested: requested)
    monkeypatch.setattr(keras, "KerasEngine", lambda bundle, max_batch: SimpleNamespace(name="keras"))
    load_engine(bundle, "keras", 100, threads)
    assert os.environ.get("TF_NUM_INTRAOP_THREADS") == expected
