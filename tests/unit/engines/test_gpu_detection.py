import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from coinfarm.engines import backends, gpu_detection


@pytest.fixture
def device_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "nvidia0"
    monkeypatch.setattr(gpu_detection, "_DEVICE_FILES", (tmp_path / "missing", path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return path


@pytest.mark.parametrize(("visible", "found"), [(None, True), ("0", True), ("0,1", True), ("", False), ("-1", False)])
def test_a_driver_shows_a_gpu_unless_it_is_hidden(
    device_file: Path, monkeypatch: pytest.MonkeyPatch, visible: str | None, found: bool
) -> None:
    assert not gpu_detection.has_gpu()
    device_file.touch()
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert gpu_detection.has_gpu() is found


@pytest.mark.parametrize(
    ("installed", "seeing", "chosen", "selected"),
    [
        pytest.param({"jax", "tensorflow"}, {"jax", "tensorflow"}, None, "jax", id="JAX before TensorFlow"),
        pytest.param({"jax", "tensorflow"}, {"tensorflow"}, None, "tensorflow", id="JAX for CPU only"),
        pytest.param({"tensorflow"}, {"jax", "tensorflow"}, None, "tensorflow", id="no JAX"),
        pytest.param({"jax", "tensorflow"}, {"jax", "tensorflow"}, "tensorflow", "tensorflow", id="KERAS_BACKEND"),
        pytest.param({"jax", "tensorflow"}, {"jax"}, "tensorflow", None, id="KERAS_BACKEND sees no GPU"),
        pytest.param({"jax", "tensorflow"}, set(), None, None, id="no backend sees a GPU"),
        pytest.param(set(), {"jax", "tensorflow"}, None, None, id="nothing installed"),
    ],
)
def test_selects_a_backend_that_sees_the_gpu(
    installed: set[str], seeing: set[str], chosen: str | None, selected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setenv("KERAS_BACKEND", chosen or "")
    if chosen is None:
        monkeypatch.delenv("KERAS_BACKEND")
    monkeypatch.setattr(backends, "find_spec", lambda name: object() if name in installed else None)
    monkeypatch.setattr(backends, "_sees_gpu", lambda name: name in seeing)
    assert backends.select_gpu_backend() == selected
    assert os.environ.get("KERAS_BACKEND") == (selected or chosen)


def test_imported_keras_keeps_its_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    imported = SimpleNamespace(backend=SimpleNamespace(backend=lambda: "tensorflow"))
    monkeypatch.setitem(sys.modules, "keras", imported)  # type: ignore[arg-type]
    monkeypatch.setattr(backends, "_sees_gpu", lambda name: name == "jax")
    assert backends.select_gpu_backend() is None
