import subprocess
import sys
from pathlib import Path

import pytest

from coinfarm.errors import ModelError, NotFound, StorageError
from coinfarm.models.bundle import Bundle
from coinfarm.models.cache import BundleCache
from coinfarm.models.store import ModelStore
from coinfarm.storage import Storage, open_storage
from tests.fake_models import publish_model


class CountingStore(ModelStore):
    fetches = 0

    def fetch(self, version: str, folder: Path) -> Bundle:
        self.fetches += 1
        return super().fetch(version, folder)


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return open_storage(str(tmp_path / "root"))


@pytest.fixture
def store(storage: Storage) -> CountingStore:
    return CountingStore(storage)


@pytest.fixture
def cache(tmp_path: Path) -> BundleCache:
    return BundleCache(tmp_path / "cache")


def test_a_version_is_fetched_once(store: CountingStore, storage: Storage, cache: BundleCache, tmp_path: Path) -> None:
    version = publish_model(storage, tmp_path / "1", "1")
    first = cache.bundle(store, version)
    assert (first.folder / "model.keras").read_text() == "1"
    assert cache.bundle(store, version) == first
    assert BundleCache(tmp_path / "cache").bundle(store, version) == first
    assert store.fetches == 1


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        pytest.param("model.keras", b"2", id="another model"),
        pytest.param("model.keras", b"", id="an empty file"),
        pytest.param("model.keras", None, id="a missing file"),
        pytest.param("manifest.json", b"{", id="half a manifest"),
        pytest.param("manifest.json", None, id="no manifest"),
    ],
)
def test_a_damaged_entry_is_replaced(
    file: str, damage: bytes | None, store: CountingStore, storage: Storage, cache: BundleCache, tmp_path: Path
) -> None:
    version = publish_model(storage, tmp_path / "1", "1")
    path = cache.bundle(store, version).folder / file
    path.unlink()
    if damage is not None:
        path.write_bytes(damage)
    assert Bundle.open(cache.bundle(store, version).folder).manifest.version == version
    assert store.fetches == 2


def test_what_cannot_be_fetched_leaves_nothing_behind(store: CountingStore, storage: Storage, cache: BundleCache, tmp_path: Path) -> None:
    version = publish_model(storage, tmp_path / "1", "1")
    storage.write(f"versions/{version}/model.keras", b"2")
    with pytest.raises(ModelError):
        cache.bundle(store, version)
    with pytest.raises(NotFound):
        cache.bundle(store, "20260101-00000000")
    (home,) = (tmp_path / "cache").iterdir()
    assert list(home.iterdir()) == []


def test_old_versions_make_room(store: CountingStore, storage: Storage, cache: BundleCache, tmp_path: Path) -> None:
    versions = [publish_model(storage, tmp_path / content, content) for content in "12345"]
    for version in versions:
        home = cache.bundle(store, version).folder.parent
        cache.bundle(store, versions[0])
    assert {entry.name for entry in home.iterdir()} == {versions[0], *versions[-2:]}


def test_what_a_process_left_that_died_is_removed(store: CountingStore, storage: Storage, cache: BundleCache, tmp_path: Path) -> None:
    version = publish_model(storage, tmp_path / "1", "1")
    home = cache.bundle(store, version).folder.parent
    (home / ".0123456789").mkdir()
    (home / ".0123456789/model.keras").write_text("half")
    cache.bundle(store, version)
    assert [entry.name for entry in home.iterdir()] == [version]


def test_two_models_with_a_version_of_the_same_name_are_kept_apart(cache: BundleCache, tmp_path: Path) -> None:
    stores = [CountingStore(open_storage(str(tmp_path / root))) for root in ("mine", "yours")]
    versions = {publish_model(open_storage(store.uri), tmp_path / f"{at}", "1") for at, store in enumerate(stores)}
    (version,) = versions
    folders = {cache.bundle(store, version).folder for store in stores}
    assert len(folders) == 2
    assert [store.fetches for store in stores] == [1, 1]


def test_a_name_that_is_no_version_never_becomes_a_path(store: CountingStore, cache: BundleCache) -> None:
    with pytest.raises(NotFound, match="is no version"):
        cache.bundle(store, "../../etc")


def test_a_cache_that_cannot_be_written_names_the_setting(store: CountingStore, storage: Storage, tmp_path: Path) -> None:
    version = publish_model(storage, tmp_path / "1", "1")
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="MODEL_CACHE_DIR"):
        BundleCache(tmp_path / "file").bundle(store, version)


def test_processes_share_the_folder(storage: Storage, tmp_path: Path) -> None:
    version = publish_model(storage, tmp_path / "1", "1")
    script = (
        "import sys; from pathlib import Path; from coinfarm.models.cache import BundleCache\n"
        "from coinfarm.models.store import open_model_source\n"
        "print(BundleCache(Path(sys.argv[1])).bundle(open_model_source(sys.argv[2]), sys.argv[3]).folder)"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "cache"), storage.uri(), version]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = {process.communicate()[0] for process in processes}
    assert [process.returncode for process in processes] == [0, 0, 0]
    (folder,) = answers
    assert Bundle.open(Path(folder.strip())).manifest.version == version
