"""Damaged or malicious model roots: manifests, pointers and files. The version in service stays."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from coinfarm.models.pointer import POINTER_KEY
from coinfarm.serving.settings import reference_model_uri
from coinfarm.storage import open_storage
from tests.attacks.models.conftest import FRAMES, manager_of

REFERENCE = Path(reference_model_uri())


@pytest.fixture
def reference(tmp_path):
    """A copy of the reference model's root."""
    shutil.copytree(REFERENCE, tmp_path / "reference")
    return open_storage(str(tmp_path / "reference"))


def flip(path):
    """Flip one bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.fixture
def copy(tmp_path, reference):
    """The folder of a copy of the version in service; its files may be changed before it is put into service."""
    (version,) = (tmp_path / "reference/versions").iterdir()
    copy = version.with_name(f"20990101-{version.name.partition('-')[2]}")
    shutil.copytree(version, copy)
    manifest = copy / "manifest.json"
    manifest.write_text(manifest.read_text().replace(version.name, copy.name))
    return copy


@pytest.fixture
def rejection(tmp_path, reference):
    """Serve the reference model, put another version into service, and return why it is rejected. Nothing else is written."""

    def rejection(version):
        rejections = []
        manager = manager_of(reference, tmp_path, rejections)
        model = manager.current_model()
        reference.write(POINTER_KEY, json.dumps({"version": version}).encode())
        files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
        assert manager.current_model() is model
        assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == files
        (reason,) = rejections
        return reason

    return rejection


@pytest.mark.parametrize("file", ["model.keras", "compiled/int8.bin"])
def test_rejects_a_changed_byte_and_keeps_the_version_in_service(rejection, copy, file):
    flip(copy / file)
    assert file in rejection(copy.name)


def test_downloads_a_changed_cached_file_again(reference, tmp_path):
    before = manager_of(reference, tmp_path, []).current_model().engine.predict(FRAMES)
    (weights,) = (tmp_path / "cache").glob("*/*/compiled/int8.bin")
    flip(weights)
    np.testing.assert_array_equal(manager_of(reference, tmp_path, []).current_model().engine.predict(FRAMES), before)


@pytest.mark.parametrize("name", ["/etc/passwd", "compiled/../../evil", "..", "a\\b", "a//b", ".hidden", "a\nb", "a" * 201, "con\x00"])
def test_rejects_manifests_with_paths_before_downloading(rejection, copy, name):
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["files"][name] = {"sha256": "0" * 64, "bytes": 1}
    (copy / "manifest.json").write_text(json.dumps(manifest))
    assert "files." in rejection(copy.name)


@pytest.mark.parametrize("version", ["../../evil", "/etc", "20990101-0000000", "20990101-00000000/..", "", "bare-0000000g"])
def test_rejects_pointers_to_invalid_versions(rejection, version):
    assert "current.json" in rejection(version)


def test_rejects_links_in_a_model_root(reference, tmp_path):
    (file,) = (tmp_path / "reference").glob("versions/*/model.keras")
    shutil.move(file, tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Exception, match="link"):
        manager_of(reference, tmp_path, []).current_model()
