"""Damaged or malicious model roots: manifests, pointers and files. The version in service stays."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from coinfarm.engines.loading import load_engine
from coinfarm.models.bundle import Bundle
from coinfarm.models.pointer import POINTER_KEY
from coinfarm.models.publish import publish
from coinfarm.models.version import bundle_key
from coinfarm.prediction.model_manager import ModelManager
from coinfarm.serving.settings import reference_model_uri
from coinfarm.storage import Storage, open_storage
from tests.attacks.model_root import FRAMES


@pytest.fixture(autouse=True)
def container() -> None:
    """Replaces the container of the unit tests: these tests load real models."""


REFERENCE = Path(reference_model_uri())


@pytest.fixture
def reference(tmp_path: Path) -> Storage:
    """A copy of the reference model's root."""
    shutil.copytree(REFERENCE, tmp_path / "reference")
    return open_storage(str(tmp_path / "reference"))


def serving(storage: Storage, folder: Path, rejections: list[str]) -> ModelManager:
    return ModelManager(
        storage.uri(),
        lambda bundle: load_engine(bundle, "auto", 10),
        cache_dir=folder / "cache",
        refresh_s=0,
        on_rejection=rejections.append,
    )


def _flipped(data: bytes) -> bytes:
    """The data with one flipped bit in the middle."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize("file", ["model.keras", "compiled/int8.bin", "compiled/int8.xml"])
def test_rejects_a_changed_byte_and_keeps_the_version_in_service(
    reference: Storage, tmp_path: Path, good_bundle: Bundle, file: str
) -> None:
    rejections: list[str] = []
    pointer = reference.read(POINTER_KEY).data
    version = json.loads(pointer)["version"]
    key = bundle_key(version, file)
    reference.write(key, _flipped(reference.read(key).data))
    first = publish(reference, good_bundle)
    reference.write(POINTER_KEY, json.dumps({"version": first}).encode())
    manager = serving(reference, tmp_path, rejections)
    model = manager.current_model()
    reference.write(POINTER_KEY, pointer)
    assert manager.current_model() is model
    assert model.version == first
    assert len(rejections) == 1
    assert file in rejections[0]


@pytest.fixture(scope="module")
def good_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Another version of the reference model; its compiled form needs no TensorFlow."""
    folder = tmp_path_factory.mktemp("other") / "bundle"
    shutil.copytree(next((REFERENCE / "versions").iterdir()), folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["version"] = f"20990101-{manifest['version'].partition('-')[2]}"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return Bundle.open(folder)


def test_downloads_a_changed_cached_file_again(reference: Storage, tmp_path: Path) -> None:
    before = serving(reference, tmp_path, []).current_model().engine.predict(FRAMES)
    (weights,) = (tmp_path / "cache").glob("*/*/compiled/int8.bin")
    weights.write_bytes(_flipped(weights.read_bytes()))
    np.testing.assert_array_equal(serving(reference, tmp_path, []).current_model().engine.predict(FRAMES), before)


NAMES = ["../../../evil", "/etc/passwd", "compiled/../../evil", "..", "a\\b", "a//b", ".hidden", "a\nb", "a" * 201, "con\x00"]


@pytest.mark.parametrize("name", NAMES)
def test_rejects_manifests_with_paths_before_downloading(reference: Storage, tmp_path: Path, name: str) -> None:
    rejections: list[str] = []
    manager = serving(reference, tmp_path, rejections)
    model = manager.current_model()
    manifest = json.loads(reference.read(bundle_key(model.version)).data)
    manifest["version"] = other = f"20990101-{model.version.partition('-')[2]}"
    manifest["files"][name] = {"sha256": "0" * 64, "bytes": 1}
    reference.write(bundle_key(other), json.dumps(manifest).encode())
    reference.write(POINTER_KEY, json.dumps({"version": other}).encode())
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert manager.current_model() is model
    assert "files." in rejections[0]
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == files


@pytest.mark.parametrize("version", ["../../evil", "/etc", "20990101-0000000", "20990101-00000000/..", "", "bare-0000000g"])
def test_rejects_pointers_to_invalid_versions(reference: Storage, tmp_path: Path, version: str) -> None:
    rejections: list[str] = []
    manager = serving(reference, tmp_path, rejections)
    model = manager.current_model()
    reference.write(POINTER_KEY, json.dumps({"version": version}).encode())
    assert manager.current_model() is model
    assert "current.json" in rejections[0]


def test_rejects_links_in_a_model_root(reference: Storage, tmp_path: Path) -> None:
    version = json.loads(reference.read(POINTER_KEY).data)["version"]
    file = tmp_path / f"reference/versions/{version}/model.keras"
    shutil.move(file, tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Exception, match="link"):
        serving(reference, tmp_path, []).current_model()
