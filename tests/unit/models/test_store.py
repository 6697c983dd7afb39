from pathlib import Path

import pytest

from coinfarm.compilation.forms import INT8
from coinfarm.errors import ModelError, NotFound, Unavailable
from coinfarm.models.bundle import Bundle
from coinfarm.models.manifest import Output
from coinfarm.models.model_file import HDF5_MAGIC
from coinfarm.models.model_source import current_version
from coinfarm.models.promotion import promote
from coinfarm.models.publish import publish
from coinfarm.models.single_version import BundleFolder, KerasFile
from coinfarm.models.store import ModelStore, RootOrBundle, open_model_root, open_model_source
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.storage import Storage
from tests.support.compiled_models import compiled_bundle
from tests.support.fake_models import create_bundle, promote_model, publish_model
from tests.support.keras_archives import write_keras_archive


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "fetched"
    folder.mkdir()
    return folder


def test_the_current_version_is_reported_when_the_pointer_moves(storage: Storage, tmp_path: Path) -> None:
    store = ModelStore(storage)
    first = publish_model(storage, tmp_path / "1", "1")
    with pytest.raises(NotFound, match=f"promoted yet.*{first}"):
        store.current_if_changed(None)
    promote(storage, first)
    current = store.current_if_changed(None)
    assert current is not None
    assert current.version == first
    assert store.current_if_changed(current.etag) is None
    second = promote_model(storage, tmp_path / "2", "2")
    moved = store.current_if_changed(current.etag)
    assert moved is not None
    assert moved.version == second


def test_a_version_is_listed_once_its_manifest_is_stored(storage: Storage, tmp_path: Path) -> None:
    versions = sorted(publish_model(storage, tmp_path / content, content) for content in ("1", "2"))
    storage.write("versions/20260101-00000000/model.keras", b"no manifest yet")
    storage.write("versions/notes/manifest.json", b"no version")
    assert ModelStore(storage).versions() == versions


def test_fetches_all_files_of_a_version(storage: Storage, tmp_path: Path, folder: Path) -> None:
    compiled = compiled_bundle(tmp_path / "compiled", INT8)
    fetched = ModelStore(storage).fetch(publish(storage, compiled), folder)
    assert fetched == Bundle.open(folder)
    for name in ("model.keras", INT8.file):
        assert (folder / name).read_bytes() == (compiled.folder / name).read_bytes()


def test_an_unknown_version_is_not_found(storage: Storage, tmp_path: Path, folder: Path) -> None:
    known = publish_model(storage, tmp_path / "1", "1")
    for version in ("20260101-00000000", "../../etc"):
        with pytest.raises(NotFound, match=version):
            ModelStore(storage).fetch(version, folder)
    with pytest.raises(NotFound, match=known):
        ModelStore(storage).manifest("20260101-00000000")


def test_rejects_the_manifest_of_another_version(storage: Storage, tmp_path: Path) -> None:
    version = publish_model(storage, tmp_path / "1", "1")
    storage.write("versions/20200101-00000000/manifest.json", storage.read(f"versions/{version}/manifest.json").data)
    with pytest.raises(ModelError, match=f"manifest of {version}"):
        ModelStore(storage).manifest("20200101-00000000")


@pytest.mark.parametrize("content", ["2", "longer than before", "", None], ids=["changed", "longer", "empty", "missing"])
def test_a_version_with_a_damaged_file_is_a_model_error(content: str | None, storage: Storage, tmp_path: Path, folder: Path) -> None:
    version = publish_model(storage, tmp_path / "1", "1")
    path = tmp_path / f"root/versions/{version}/model.keras"
    path.unlink()
    if content is not None:
        path.write_text(content)
    with pytest.raises(ModelError, match=r"model.keras"):
        ModelStore(storage).fetch(version, folder)


def test_a_keras_file_serves_with_a_manifest_made_for_it(tmp_path: Path, folder: Path) -> None:
    write_keras_archive(tmp_path / "my model.keras")
    source = open_model_source(str(tmp_path / "my model.keras"))
    current = source.current_if_changed(None)
    assert current is not None
    assert source.current_if_changed(current.etag) is None
    bundle = source.fetch(current.version, folder)
    assert bundle.manifest.name == "my model"
    with pytest.raises(NotFound, match="bare-00000000"):
        open_model_source(source.uri).fetch("bare-00000000", folder)
    assert bundle == Bundle.open(folder)


def test_a_keras_file_replaced_during_the_download_is_unavailable(tmp_path: Path, folder: Path) -> None:
    path = write_keras_archive(tmp_path / "model.keras")
    source = open_model_source(str(path))
    current = source.current_if_changed(None)
    assert current is not None
    write_keras_archive(path, content="2")
    with pytest.raises(Unavailable, match=r"model.keras"):
        source.fetch(current.version, folder)


def test_a_bundle_folder_serves_its_only_version(tmp_path: Path, folder: Path) -> None:
    bundle = create_bundle(tmp_path / "bundle")
    source = open_model_source(str(tmp_path / "bundle"))
    assert isinstance(source, BundleFolder)
    current = source.current_if_changed(None)
    assert current is not None
    assert current.version == bundle.manifest.version
    assert source.current_if_changed(current.etag) is None
    assert source.fetch(current.version, folder).manifest == bundle.manifest
    with pytest.raises(NotFound, match="20200101-00000000"):
        source.fetch("20200101-00000000", folder)


def test_a_root_in_s3_is_a_root_until_only_its_manifest_is_found(storage: Storage, tmp_path: Path) -> None:
    source = RootOrBundle(storage)
    with pytest.raises(NotFound, match="coinfarm model publish"):
        source.current_if_changed(None)
    version = promote_model(storage, tmp_path / "1", "1")
    assert current_version(source) == version
    storage.write("manifest.json", create_bundle(tmp_path / "other", "2").manifest.to_json())
    with pytest.raises(NotFound, match=version):
        source.manifest("20200101-00000000")
    assert current_version(source) == version


def test_a_keras_file_beside_its_manifest_is_that_bundle(tmp_path: Path, folder: Path) -> None:
    bundle = create_bundle(tmp_path / "bundle", outputs=tuple(Output(name=name, unit="window_range") for name in OUTPUT_NAMES))
    source = open_model_source(str(tmp_path / "bundle/model.keras"))
    version = current_version(source)
    assert version == bundle.manifest.version
    assert source.manifest(version) == bundle.manifest
    assert source.fetch(version, folder).manifest == bundle.manifest


def test_a_keras_file_that_its_manifest_does_not_describe_is_refused(tmp_path: Path, folder: Path) -> None:
    version = create_bundle(tmp_path / "bundle").manifest.version
    (tmp_path / "bundle/model.keras").write_text("other")
    with pytest.raises(ModelError, match=r"model.keras"):
        open_model_source(str(tmp_path / "bundle/model.keras")).fetch(version, folder)


def test_a_keras_file_of_another_name_is_recognised_by_its_content(tmp_path: Path) -> None:
    path = write_keras_archive(tmp_path / "model.h5")
    assert isinstance(open_model_source(str(path)), KerasFile)
    path.write_bytes(HDF5_MAGIC + b"model_config")
    with pytest.raises(ModelError, match="model import"):
        open_model_source(str(path))


@pytest.mark.parametrize(
    ("uri", "kind", "place"),
    [
        pytest.param("s3://bucket/models/cnn", RootOrBundle, "s3://bucket/models/cnn", id="root in S3"),
        pytest.param("s3://bucket/cnn.keras", KerasFile, "s3://bucket/cnn.keras", id="file in S3"),
        pytest.param("/models/cnn", ModelStore, "/models/cnn", id="root in a folder"),
        pytest.param("/cnn.keras", KerasFile, "/cnn.keras", id="file at the top"),
        pytest.param("file:///models/cnn.keras", KerasFile, "/models/cnn.keras", id="file URI"),
        pytest.param("cnn.keras", KerasFile, str(Path("cnn.keras").absolute()), id="relative path"),
    ],
)
def test_a_uri_that_ends_in_keras_is_a_file_and_others_are_roots(uri: str, kind: type, place: str) -> None:
    source = open_model_source(uri)
    assert isinstance(source, kind)
    assert source.uri == place


@pytest.mark.parametrize("place", ["missing", "empty", "file.keras", "bundle"])
def test_a_root_needs_a_version(place: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.keras").touch()
    create_bundle(tmp_path / "bundle")
    with pytest.raises(NotFound, match=f"{place}.*coinfarm model publish"):
        open_model_root(str(tmp_path / place))
    assert not (tmp_path / "missing").exists()
