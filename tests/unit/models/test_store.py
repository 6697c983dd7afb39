import json
from pathlib import Path

import pytest

from coinfarm.errors import ModelError, NotFound, Unavailable
from coinfarm.models.bundle import Bundle
from coinfarm.models.promotion import promote
from coinfarm.models.store import KerasFile, ModelStore, open_model_source
from coinfarm.storage import Storage, open_storage
from tests.support.fake_models import promote_model, publish_model


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return open_storage(str(tmp_path / "root"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "fetched"
    folder.mkdir()
    return folder


def test_the_pointer_tells_what_serves_until_it_moves(storage: Storage, tmp_path: Path) -> None:
    store = ModelStore(storage)
    first = promote_model(storage, tmp_path / "1", "1")
    current = store.current_if_changed(None)
    assert current is not None
    assert current.version == first
    assert store.current_if_changed(current.etag) is None
    second = promote_model(storage, tmp_path / "2", "2")
    moved = store.current_if_changed(current.etag)
    assert moved is not None
    assert moved.version == second


def test_a_pointer_written_by_hand_is_enough(storage: Storage, tmp_path: Path) -> None:
    version = publish_model(storage, tmp_path / "1", "1")
    storage.write("current.json", json.dumps({"version": version}).encode())
    current = ModelStore(storage).current_if_changed(None)
    assert current is not None
    assert current.version == version


@pytest.mark.parametrize("data", [b"", b"{}", b'{"version": "../../etc"}', b'{"version": "latest"}'])
def test_a_damaged_pointer_is_an_error_of_the_model(data: bytes, storage: Storage) -> None:
    storage.write("current.json", data)
    with pytest.raises(ModelError, match=r"current.json is not valid"):
        ModelStore(storage).current_if_changed(None)


def test_versions_are_listed_once_their_manifest_is_there(storage: Storage, tmp_path: Path) -> None:
    versions = sorted(publish_model(storage, tmp_path / content, content) for content in ("1", "2"))
    storage.write("versions/20260101-00000000/model.keras", b"no manifest yet")
    storage.write("versions/notes/manifest.json", b"no version")
    assert ModelStore(storage).versions() == versions


def test_a_version_is_fetched_whole(storage: Storage, tmp_path: Path, folder: Path) -> None:
    version = publish_model(storage, tmp_path / "1", "1")
    bundle = ModelStore(storage).fetch(version, folder)
    assert bundle == Bundle.open(folder)
    assert (folder / "model.keras").read_text() == "1"


def test_a_version_that_is_not_there_is_not_found(storage: Storage, folder: Path) -> None:
    for version in ("20260101-00000000", "../../etc"):
        with pytest.raises(NotFound, match=version):
            ModelStore(storage).fetch(version, folder)


def test_a_manifest_in_the_place_of_another_is_refused(storage: Storage, tmp_path: Path) -> None:
    version = publish_model(storage, tmp_path / "1", "1")
    storage.write("versions/20200101-00000000/manifest.json", storage.read(f"versions/{version}/manifest.json").data)
    with pytest.raises(ModelError, match=f"is the manifest of {version}"):
        ModelStore(storage).manifest("20200101-00000000")


@pytest.mark.parametrize("content", ["2", "longer than it was", ""])
def test_a_file_that_was_tampered_with_is_refused(content: str, storage: Storage, tmp_path: Path, folder: Path) -> None:
    version = publish_model(storage, tmp_path / "1", "1")
    storage.write(f"versions/{version}/model.keras", content.encode())
    with pytest.raises(ModelError, match="its manifest describes"):
        ModelStore(storage).fetch(version, folder)


def test_a_file_that_is_missing_makes_a_version_damaged(storage: Storage, tmp_path: Path, folder: Path) -> None:
    version = publish_model(storage, tmp_path / "1", "1")
    (tmp_path / f"root/versions/{version}/model.keras").unlink()
    with pytest.raises(ModelError, match="no such file"):
        ModelStore(storage).fetch(version, folder)


def test_a_bare_model_is_fetched_with_a_manifest_of_its_own(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "my model.keras").write_text("1")
    source = open_model_source(str(tmp_path / "my model.keras"))
    current = source.current_if_changed(None)
    assert current is not None
    assert source.current_if_changed(current.etag) is None
    bundle = source.fetch(current.version, folder)
    assert bundle.manifest.name == "my model"
    assert bundle == Bundle.open(folder)


def test_a_bare_model_has_no_other_versions(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "model.keras").write_text("1")
    with pytest.raises(NotFound, match="publish models under a root"):
        open_model_source(str(tmp_path / "model.keras")).fetch("bare-00000000", folder)


def test_a_bare_model_that_is_replaced_while_it_is_fetched_is_tried_again(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "model.keras"
    path.write_text("1")
    source = open_model_source(str(path))
    current = source.current_if_changed(None)
    assert current is not None
    path.write_text("2")
    with pytest.raises(Unavailable, match="replaced while it was fetched"):
        source.fetch(current.version, folder)


@pytest.mark.parametrize(
    ("uri", "kind", "place"),
    [
        pytest.param("s3://bucket/models/cnn", ModelStore, "s3://bucket/models/cnn", id="root in S3"),
        pytest.param("s3://bucket/cnn.keras", KerasFile, "s3://bucket/cnn.keras", id="bare in S3"),
        pytest.param("/models/cnn", ModelStore, "/models/cnn", id="root in a folder"),
        pytest.param("/cnn.keras", KerasFile, "/cnn.keras", id="bare at the top"),
        pytest.param("file:///models/cnn.keras", KerasFile, "/models/cnn.keras", id="bare as a file URI"),
        pytest.param("cnn.keras", KerasFile, str(Path("cnn.keras").absolute()), id="bare beside us"),
    ],
)
def test_a_uri_says_whether_it_is_a_root_or_a_bare_model(uri: str, kind: type, place: str) -> None:
    source = open_model_source(uri)
    assert isinstance(source, kind)
    assert source.uri == place


def test_what_was_not_promoted_does_not_serve(storage: Storage, tmp_path: Path) -> None:
    version = publish_model(storage, tmp_path / "1", "1")
    with pytest.raises(NotFound, match=r"current.json"):
        ModelStore(storage).current_if_changed(None)
    promote(storage, version)
    assert ModelStore(storage).current_if_changed(None) is not None
