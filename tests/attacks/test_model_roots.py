"""Damaged or malicious model roots: manifests, pointers and files. The version in service stays."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from coinfarm.models.bundle import Bundle
from coinfarm.models.pointer import POINTER_KEY
from coinfarm.models.publish import publish
from coinfarm.models.version import bundle_key
from coinfarm.serving.settings import reference_model_uri
from coinfarm.storage import open_storage
from tests.attacks.model_root import FRAMES, manager_of


@pytest.fixture(autouse=True)
def container():
    """Replaces the container of the unit tests: these tests load real models."""


REFERENCE = Path(reference_model_uri())


@pytest.fixture
def reference(tmp_path):
    """A copy of the reference model's root."""
    shutil.copytree(REFERENCE, tmp_path / "reference")
    return open_storage(str(tmp_path / "reference"))


def _flipped(data):
    """The data with one flipped bit in the middle."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize("file", ["model.keras", "compiled/int8.bin"])
def test_rejects_a_changed_byte_and_keeps_the_version_in_service(reference, tmp_path, good_bundle, file):
    rejections = []
    pointer = reference.read(POINTER_KEY).data
    version = json.loads(pointer)["version"]
    key = bundle_key(version, file)
    reference.write(key, _flipped(reference.read(key).data))
    first = publish(reference, good_bundle)
    reference.write(POINTER_KEY, json.dumps({"version": first}).encode())
    manager = manager_of(reference, tmp_path, rejections)
    model = manager.current_model()
    reference.write(POINTER_KEY, pointer)
    assert manager.current_model() is model
    assert model.version == first
    assert len(rejections) == 1
    assert file in rejections[0]


@pytest.fixture(scope="module")
def good_bundle(tmp_path_factory):
    """Another version of the reference model; its compiled form needs no TensorFlow."""
    folder = tmp_path_factory.mktemp("other") / "bundle"
    shutil.copytree(next((REFERENCE / "versions").iterdir()), folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["version"] = f"20990101-{manifest['version'].partition('-')[2]}"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return Bundle.open(folder)


def test_downloads_a_changed_cached_file_again(reference, tmp_path):
    before = manager_of(reference, tmp_path, []).current_model().engine.predict(FRAMES)
    (weights,) = (tmp_path / "cache").glob("*/*/compiled/int8.bin")
    weights.write_bytes(_flipped(weights.read_bytes()))
    np.testing.assert_array_equal(manager_of(reference, tmp_path, []).current_model().engine.predict(FRAMES), before)


@pytest.mark.parametrize("name", ["/etc/passwd", "compiled/../../evil", "..", "a\\b", "a//b", ".hidden", "a\nb", "a" * 201, "con\x00"])
def test_rejects_manifests_with_paths_before_downloading(reference, tmp_path, name):
    rejections = []
    manager = manager_of(reference, tmp_path, rejections)
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
def test_rejects_pointers_to_invalid_versions(reference, tmp_path, version):
    rejections = []
    manager = manager_of(reference, tmp_path, rejections)
    model = manager.current_model()
    reference.write(POINTER_KEY, json.dumps({"version": version}).encode())
    assert manager.current_model() is model
    assert "current.json" in rejections[0]


def test_rejects_links_in_a_model_root(reference, tmp_path):
    version = json.loads(reference.read(POINTER_KEY).data)["version"]
    file = tmp_path / f"reference/versions/{version}/model.keras"
    shutil.move(file, tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Exception, match="link"):
        manager_of(reference, tmp_path, []).current_model()
