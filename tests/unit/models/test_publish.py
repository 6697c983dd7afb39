from pathlib import Path
from typing import Any

import pytest

from coinfarm.compilation.forms import BF16, F32
from coinfarm.errors import Conflict, ModelError
from coinfarm.models.bundle import Bundle
from coinfarm.models.publish import is_published, publish
from coinfarm.storage import Storage, open_storage
from coinfarm.storage.folder import FolderStorage
from tests.support.compiled_models import compiled_bundle
from tests.support.fake_models import seal


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return open_storage(str(tmp_path / "root"))


def _contents(storage: Storage) -> dict[str, bytes]:
    return {key: storage.read(key).data for key in storage.list()}


def test_a_published_version_lies_under_its_name(storage: Storage, tmp_path: Path) -> None:
    bundle = seal(tmp_path / "bundle", "1")
    version = publish(storage, bundle)
    contents = _contents(storage)
    assert contents.pop(f"versions/{version}/card.md").decode().startswith(f"# fake {version}\n")
    assert contents == {
        f"versions/{version}/manifest.json": bundle.manifest.to_json(),
        f"versions/{version}/model.keras": b"1",
    }


def test_publishing_the_same_again_changes_nothing(storage: Storage, tmp_path: Path) -> None:
    version = publish(storage, seal(tmp_path / "bundle", "1"))
    before = _contents(storage)
    sealed_later = Bundle.seal(tmp_path / "bundle", name="fake")
    assert publish(storage, sealed_later) == version
    assert _contents(storage) == before


def test_another_description_of_the_same_model_is_refused(storage: Storage, tmp_path: Path) -> None:
    publish(storage, seal(tmp_path / "bundle", "1"))
    other = Bundle.seal(tmp_path / "bundle", name="fake", horizon_candles=60)
    with pytest.raises(Conflict, match=r"manifest.json holds something else, .* never changes: horizonCandles would differ"):
        publish(storage, other)


def test_a_model_that_was_compiled_again_is_there_already(storage: Storage, tmp_path: Path) -> None:
    """No two compilations measure the same speed, nor give the same bytes; which to serve is settled by who came first."""
    first, again = compiled_bundle(tmp_path / "first", F32), compiled_bundle(tmp_path / "again", BF16, F32)
    (again.folder / F32.file).write_bytes(b"compiled by another release")
    again = again.with_engines(again.manifest.engines)
    version = publish(storage, first)
    before = _contents(storage)
    assert is_published(storage, again.manifest)
    assert publish(storage, again) == version
    assert _contents(storage) == before


def test_what_was_not_published_is_not_there(storage: Storage, tmp_path: Path) -> None:
    assert not is_published(storage, seal(tmp_path / "bundle", "1").manifest)


def test_a_file_more_is_another_model(storage: Storage, tmp_path: Path) -> None:
    publish(storage, seal(tmp_path / "bundle", "1"))
    (tmp_path / "bundle/notes.txt").write_text("more")
    with pytest.raises(Conflict, match="files would differ"):
        publish(storage, Bundle.seal(tmp_path / "bundle", name="fake"))


def test_of_two_who_publish_at_once_the_second_is_told(tmp_path: Path) -> None:
    class Raced(FolderStorage):
        """Somebody else describes the same model otherwise, after we looked."""

        def write(self, key: str, data: bytes, **conditions: Any) -> str:
            if key.endswith("manifest.json"):
                super().write(key, other.manifest.to_json())
            return super().write(key, data, **conditions)

    bundle, other = seal(tmp_path / "bundle", "1"), seal(tmp_path / "other", "1", horizon_candles=60)
    with pytest.raises(Conflict, match="horizonCandles would differ"):
        publish(Raced(tmp_path / "root"), bundle)


def test_another_file_in_the_place_of_ours_is_refused(storage: Storage, tmp_path: Path) -> None:
    bundle = seal(tmp_path / "bundle", "1")
    storage.write(f"versions/{bundle.manifest.version}/model.keras", b"2")
    with pytest.raises(Conflict, match=r"model.keras holds something else, though no version is finished there"):
        publish(storage, bundle)
    assert not storage.exists(f"versions/{bundle.manifest.version}/manifest.json")


def test_what_was_interrupted_can_be_published_again(storage: Storage, tmp_path: Path) -> None:
    bundle = seal(tmp_path / "bundle", "1")
    storage.write(f"versions/{bundle.manifest.version}/model.keras", b"1")
    publish(storage, bundle)
    assert storage.exists(f"versions/{bundle.manifest.version}/manifest.json")


def test_a_bundle_that_was_changed_after_it_was_sealed_is_not_published(storage: Storage, tmp_path: Path) -> None:
    bundle = seal(tmp_path / "bundle", "1")
    (tmp_path / "bundle/model.keras").write_text("2")
    with pytest.raises(ModelError, match="is not the file that its manifest describes"):
        publish(storage, bundle)
    assert list(storage.list()) == []
