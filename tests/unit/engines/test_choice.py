"""Which engine runs a bundle, on which processor."""

from pathlib import Path

import pytest

from coinfarm.compilation.forms import BF16, F32, INT8
from coinfarm.engines import backends, keras, keras_gpu, loading
from coinfarm.engines.loading import EngineChoice, choose_form, load_engine
from coinfarm.errors import ModelError
from coinfarm.models.bundle import Bundle
from coinfarm.models.compiled_form import CompiledForm
from tests.support.compiled_models import BY_SPEED, compiled_bundle
from tests.support.fake_models import seal

ZEN4 = frozenset({"sse4_2", "avx2", "avx512_vnni", "avx512_bf16"})
SAPPHIRE_RAPIDS = frozenset({"sse4_2", "avx2", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8"})
CASCADE_LAKE = frozenset({"sse4_2", "avx2", "avx512_vnni"})
ROME = frozenset({"sse4_2", "avx2"})
SANDY_BRIDGE = frozenset({"sse4_2", "avx"})
GRAVITON = frozenset({"asimd", "bf16", "i8mm"})


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine has that runs the tests."""
    monkeypatch.setattr(loading, "has_gpu", lambda: False)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """In all forms."""
    return compiled_bundle(tmp_path_factory.mktemp("models") / "all", *BY_SPEED)


def chosen(bundle: Bundle, choice: EngineChoice, flags: frozenset[str]) -> str | None:
    form = choose_form(bundle, choice, flags)
    return None if form is None else form.name


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        pytest.param(ZEN4, "int8-bf16", id="bf16 and VNNI"),
        pytest.param(SAPPHIRE_RAPIDS, "int8-bf16", id="AMX"),
        pytest.param(CASCADE_LAKE, "int8", id="VNNI alone"),
        pytest.param(ROME, "int8", id="AVX2 alone"),
        pytest.param(SANDY_BRIDGE, "f32", id="older than AVX2"),
        pytest.param(GRAVITON, None, id="ARM, where no parity was measured: Keras"),
        pytest.param(frozenset(), None, id="unknown: Keras"),
    ],
)
def test_a_processor_gets_the_fastest_form_that_it_supports(bundle: Bundle, flags: frozenset[str], name: str | None) -> None:
    assert chosen(bundle, "auto", flags) == name


@pytest.mark.parametrize(
    ("forms", "flags", "name"),
    [
        pytest.param((BF16, F32), ZEN4, "bf16", id="8 bits did not keep the parity"),
        pytest.param((BF16, F32), ROME, "f32", id="and there is no bf16"),
        pytest.param((INT8,), SANDY_BRIDGE, None, id="no form for it: Keras"),
    ],
)
def test_what_was_not_published_is_not_chosen(
    forms: tuple[CompiledForm, ...], flags: frozenset[str], name: str | None, tmp_path: Path
) -> None:
    assert chosen(compiled_bundle(tmp_path / "some", *forms), "auto", flags) == name


def test_a_bundle_without_compiled_forms_is_served_by_keras(tmp_path: Path) -> None:
    assert chosen(seal(tmp_path / "plain"), "auto", ZEN4) is None


@pytest.mark.parametrize("choice", ["openvino-f32", "openvino-bf16", "openvino-int8", "openvino-int8-bf16"])
def test_the_setting_overrides_the_choice(bundle: Bundle, choice: EngineChoice) -> None:
    assert f"openvino-{chosen(bundle, choice, ZEN4)}" == choice


def test_the_setting_can_ask_for_keras(bundle: Bundle) -> None:
    assert chosen(bundle, "keras", ZEN4) is None


def test_a_form_that_the_processor_lacks_is_refused_by_name(bundle: Bundle) -> None:
    with pytest.raises(ModelError, match=r"ENGINE=openvino-bf16 needs a processor with avx512_bf16 or amx_bf16, and this one .* has not"):
        choose_form(bundle, "openvino-bf16", ROME)


def test_a_form_that_was_not_published_is_refused_with_those_that_were(tmp_path: Path) -> None:
    bundle = compiled_bundle(tmp_path / "wide", BF16, F32)
    with pytest.raises(ModelError, match=r"not published in that form: it has auto, keras, openvino-bf16, openvino-f32$"):
        choose_form(bundle, "openvino-int8", ZEN4)


def test_the_engine_says_which_form_it_runs(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "processor_flags", lambda: ROME)
    assert load_engine(bundle, "auto", max_batch=100).name == "openvino-int8"


class OnGpu:
    """Stands for the engine that draws."""

    name = "keras-gpu-bf16"

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle


@pytest.mark.parametrize("choice", ["auto", "keras-gpu"])
def test_a_gpu_comes_before_every_compiled_form(bundle: Bundle, monkeypatch: pytest.MonkeyPatch, choice: EngineChoice) -> None:
    monkeypatch.setattr(loading, "has_gpu", lambda: True)
    monkeypatch.setattr(backends, "select_gpu_backend", lambda: "jax")
    monkeypatch.setattr(keras_gpu, "KerasGpuEngine", OnGpu)
    assert load_engine(bundle, choice, max_batch=100).name == "keras-gpu-bf16"


def test_a_gpu_that_nothing_can_use_is_told_of_and_left_alone(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(loading, "has_gpu", lambda: True)
    monkeypatch.setattr(loading, "processor_flags", lambda: ROME)
    monkeypatch.setattr(backends, "select_gpu_backend", lambda: None)
    assert load_engine(bundle, "auto", max_batch=100).name == "openvino-int8"
    assert "There is a GPU, but neither JAX nor TensorFlow sees it here: pip install 'coinfarm[gpu]'" in caplog.text


def test_an_engine_for_a_gpu_is_refused_where_none_is_seen(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "select_gpu_backend", lambda: None)
    with pytest.raises(ModelError, match="ENGINE=keras-gpu needs a GPU, and neither JAX nor TensorFlow sees it here"):
        load_engine(bundle, "keras-gpu", max_batch=100)


def test_a_machine_without_a_gpu_imports_nothing_to_find_out(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise AssertionError("asked a backend")

    monkeypatch.setattr(backends, "select_gpu_backend", refuse)
    load_engine(bundle, "auto", max_batch=100)


class OnTensorFlow:
    """Stands for the Keras engine."""

    name = "keras"

    def __init__(self, bundle: Bundle, max_batch: int) -> None:
        self.max_batch = max_batch


@pytest.fixture
def no_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it could not be installed, as on a base whose libc is older than its wheels ask for."""
    monkeypatch.setattr(loading, "find_spec", lambda name: None if name == "openvino" else name)
    monkeypatch.setattr(loading, "processor_flags", lambda: ZEN4)
    monkeypatch.setattr(keras, "KerasEngine", OnTensorFlow)


@pytest.mark.parametrize("missing", ["keras", "tensorflow"])
@pytest.mark.parametrize("choice", ["auto", "keras"])
def test_where_keras_is_needed_and_not_installed_the_remedy_is_said(
    bundle: Bundle, choice: EngineChoice, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "find_spec", lambda name: None if name == missing else name)
    monkeypatch.setattr(loading, "processor_flags", frozenset)
    with pytest.raises(ModelError, match=r"needs Keras and TensorFlow: .*pip install 'coinfarm\[keras\]'"):
        load_engine(bundle, choice, max_batch=100)


@pytest.mark.usefixtures("no_openvino")
def test_where_openvino_is_not_installed_keras_serves(bundle: Bundle) -> None:
    assert load_engine(bundle, "auto", max_batch=100).name == "keras"


@pytest.mark.usefixtures("no_openvino")
def test_a_compiled_form_that_is_asked_for_where_openvino_is_not_installed_is_refused(bundle: Bundle) -> None:
    with pytest.raises(ModelError, match="ENGINE=openvino-f32 needs OpenVINO, which is not installed here: let it be auto"):
        load_engine(bundle, "openvino-f32", max_batch=100)
