import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from coinfarm.errors import ModelError
from coinfarm.models.bundle import Bundle
from tests.support.fake_models import create_bundle
from tests.support.keras_archives import write_keras_archive


def test_a_created_bundle_can_be_opened(tmp_path: Path) -> None:
    (tmp_path / "compiled").mkdir()
    (tmp_path / "model.keras").write_text("7")
    (tmp_path / "compiled/model.bin").write_bytes(b"fast")
    bundle = Bundle.create(tmp_path, name="fake")
    assert Bundle.open(tmp_path) == bundle
    assert bundle.manifest.version == f"{datetime.now(UTC):%Y%m%d}-{hashlib.sha256(b'7').hexdigest()[:8]}"
    assert {name: file.bytes for name, file in bundle.manifest.files.items()} == {"compiled/model.bin": 4, "model.keras": 1}


def test_names_a_changed_or_missing_file(tmp_path: Path) -> None:
    create_bundle(tmp_path / "bundle", "1.0")
    (tmp_path / "bundle/model.keras").write_text("2.0")
    with pytest.raises(ModelError, match=r"model.keras"):
        Bundle.open(tmp_path / "bundle")
    (tmp_path / "bundle/model.keras").unlink()
    with pytest.raises(ModelError, match=r"model.keras"):
        Bundle.open(tmp_path / "bundle")
    with pytest.raises(ModelError, match=r"manifest.json"):
        Bundle.open(tmp_path)


@pytest.mark.parametrize(("field", "value", "named"), [("windowCandles", 100, "100 candles"), ("digest", "0" * 64, "00000000")])
def test_rejects_a_bundle_of_another_frame_geometry(tmp_path: Path, field: str, value: object, named: str) -> None:
    sealed = create_bundle(tmp_path / "bundle")
    document = json.loads(sealed.manifest.to_json())
    document["frame"][field] = value
    (tmp_path / "bundle/manifest.json").write_text(json.dumps(document))
    with pytest.raises(ModelError, match=named):
        Bundle.open(tmp_path / "bundle")


def test_names_a_file_that_is_missing_or_not_allowed(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"model.keras"):
        Bundle.create(tmp_path, name="fake")
    (tmp_path / "model.keras").touch()
    (tmp_path / ".DS_Store").touch()
    with pytest.raises(ModelError, match=r"files.\.DS_Store"):
        Bundle.create(tmp_path, name="fake")


def test_a_keras_file_becomes_a_bundle_with_default_outputs(tmp_path: Path) -> None:
    path = write_keras_archive(tmp_path / "model.keras")
    bundle = Bundle.from_keras_file(path, name="mine")
    assert bundle.folder == tmp_path
    assert bundle.manifest.version == f"bare-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}"
    assert {output.unit for output in bundle.manifest.outputs} == {"percent"}
