from pathlib import Path

import pytest

from coinfarm.errors import Conflict, ModelError
from coinfarm.models.bundle import Bundle
from coinfarm.models.publish import publish
from coinfarm.storage import Storage, open_storage
from tests.fake_models import seal


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return open_storage(str(tmp_path / "root"))


def _contents(storage: Storage) -> dict[str, bytes]:
    return {key: storage.read(key).data for key in storage.list()}


def test_a_published_version_lies_under_its_name(storage: Storage, tmp_path: Path) -> None:
    bundle = seal(tmp_path / "bundle", "1")
    version = publish(storage, bundle)
    assert _contents(storage) == {
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
    with pytest.raises(Conflict, match=r"manifest.json holds something else, and what is published never changes"):
        publish(storage, other)


def test_another_file_in_the_place_of_ours_is_refused(storage: Storage, tmp_path: Path) -> None:
    bundle = seal(tmp_path / "bundle", "1")
    storage.write(f"versions/{bundle.manifest.version}/model.keras", b"2")
    with pytest.raises(Conflict, match=r"model.keras holds something else"):
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
