from pathlib import Path
from typing import Any

import pytest

from coinfarm.compilation.forms import BF16, F32
from coinfarm.errors import Conflict, ModelError, NotFound
from coinfarm.models.bundle import Bundle
from coinfarm.models.publish import publish, published_manifest, record_evaluation
from coinfarm.storage import Storage
from coinfarm.storage.folder import FolderStorage
from tests.support.compiled_models import compiled_bundle
from tests.support.evaluation_documents import evaluation_json
from tests.support.fake_models import create_bundle, publish_model


def _contents(storage: Storage) -> dict[str, bytes]:
    return {key: storage.read(key).data for key in storage.list()}


def test_publishes_the_files_the_manifest_and_a_card(storage: Storage, tmp_path: Path) -> None:
    bundle = create_bundle(tmp_path / "bundle", "1")
    version = publish(storage, bundle)
    contents = _contents(storage)
    assert contents.pop(f"versions/{version}/card.md").decode().startswith(f"# fake {version}\n")
    assert contents == {f"versions/{version}/manifest.json": bundle.manifest.to_json(), f"versions/{version}/model.keras": b"1"}


def test_publishing_a_model_compiled_again_changes_nothing(storage: Storage, tmp_path: Path) -> None:
    """No two compilations measure the same speed, nor give the same bytes: the first one published stays."""
    first, again = compiled_bundle(tmp_path / "first", F32), compiled_bundle(tmp_path / "again", BF16, F32)
    (again.folder / F32.file).write_bytes(b"compiled by another release")
    again = again.with_engines(again.manifest.engines)
    assert published_manifest(storage, first.manifest) is None
    version = publish(storage, first)
    before = _contents(storage)
    assert published_manifest(storage, again.manifest) == first.manifest
    assert publish(storage, again) == version
    assert _contents(storage) == before


def test_publishing_again_replaces_damaged_and_missing_files(storage: Storage, tmp_path: Path) -> None:
    bundle = compiled_bundle(tmp_path / "bundle", F32)
    version = publish(storage, bundle)
    before = _contents(storage)
    storage.write(f"versions/{version}/model.keras", b"x")
    Path(storage.uri(f"versions/{version}/{F32.file}")).unlink()
    publish(storage, bundle)
    assert _contents(storage) == before


def test_rejects_to_repair_a_file_that_the_bundle_does_not_have(storage: Storage, tmp_path: Path) -> None:
    """The other damaged files are replaced before."""
    version = publish(storage, compiled_bundle(tmp_path / "bundle", F32))
    model, form = (f"versions/{version}/{name}" for name in ("model.keras", F32.file))
    intact = storage.read(model).data
    storage.write(model, b"x")
    storage.write(form, b"x")
    with pytest.raises(ModelError, match=form):
        publish(storage, compiled_bundle(tmp_path / "again", BF16))
    assert (storage.read(model).data, storage.read(form).data) == (intact, b"x")


def test_rejects_another_description_of_the_same_model(storage: Storage, tmp_path: Path) -> None:
    publish(storage, create_bundle(tmp_path / "bundle", "1"))
    with pytest.raises(Conflict, match="horizonCandles"):
        publish(storage, Bundle.create(tmp_path / "bundle", name="fake", horizon_candles=60))
    (tmp_path / "bundle/notes.txt").write_text("more")
    with pytest.raises(Conflict, match="files"):
        publish(storage, Bundle.create(tmp_path / "bundle", name="fake"))


def test_the_second_of_two_simultaneous_publications_is_a_conflict(tmp_path: Path) -> None:
    class Raced(FolderStorage):
        """Another process publishes another description of the same model after we checked."""

        def write(self, key: str, data: bytes, **conditions: Any) -> str:
            if key.endswith("manifest.json"):
                super().write(key, other.manifest.to_json())
            return super().write(key, data, **conditions)

    bundle, other = create_bundle(tmp_path / "bundle", "1"), create_bundle(tmp_path / "other", "1", horizon_candles=60)
    with pytest.raises(Conflict, match="horizonCandles"):
        publish(Raced(tmp_path / "root"), bundle)


def test_completes_an_interrupted_publication_unless_its_files_differ(storage: Storage, tmp_path: Path) -> None:
    bundle = create_bundle(tmp_path / "bundle", "1")
    file, manifest = (f"versions/{bundle.manifest.version}/{name}" for name in ("model.keras", "manifest.json"))
    storage.write(file, b"2")
    with pytest.raises(Conflict, match=file):
        publish(storage, bundle)
    assert not storage.exists(manifest)
    storage.write(file, b"1")
    publish(storage, bundle)
    assert storage.exists(manifest)


def test_rejects_a_bundle_that_was_changed_after_it_was_created(storage: Storage, tmp_path: Path) -> None:
    bundle = create_bundle(tmp_path / "bundle", "1")
    (tmp_path / "bundle/model.keras").write_text("2")
    with pytest.raises(ModelError, match=r"model.keras"):
        publish(storage, bundle)
    assert list(storage.list()) == []


def test_a_recorded_evaluation_is_on_the_card(storage: Storage, tmp_path: Path) -> None:
    version = publish_model(storage, tmp_path / "bundle", "1")
    record_evaluation(storage, version, evaluation_json(version, 0.1234))
    assert "**0.1234**" in storage.read(f"versions/{version}/card.md").data.decode()
    with pytest.raises(NotFound, match="20260101-00000000"):
        record_evaluation(storage, "20260101-00000000", evaluation_json("20260101-00000000"))
    assert not list(storage.list("versions/20260101-00000000"))
