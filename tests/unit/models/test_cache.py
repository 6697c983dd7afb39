import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from coinfarm.errors import Forbidden, ModelError, NotFound, StorageError
from coinfarm.models.bundle import Bundle
from coinfarm.models.cache import BundleCache, default_cache_dir
from coinfarm.models.store import ModelStore
from coinfarm.storage import Storage, open_storage
from tests.support.fake_models import publish_model


class CountingStore(ModelStore):
    fetches = 0

    def fetch(self, version: str, folder: Path) -> Bundle:
        self.fetches += 1
        return super().fetch(version, folder)


@pytest.fixture
def store(storage: Storage) -> CountingStore:
    return CountingStore(storage)


@pytest.fixture
def cache(tmp_path: Path) -> BundleCache:
    return BundleCache(tmp_path / "cache")


def test_a_version_is_downloaded_once(store: CountingStore, storage: Storage, cache: BundleCache, tmp_path: Path) -> None:
    version = publish_model(storage, tmp_path / "1", "1")
    first = cache.bundle(store, version)
    assert (first.folder / "model.keras").read_text() == "1"
    assert cache.bundle(store, version) == first
    assert BundleCache(tmp_path / "cache").bundle(store, version) == first
    assert store.fetches == 1


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        pytest.param("model.keras", b"2", id="changed model"),
        pytest.param("model.keras", None, id="no model"),
        pytest.param("manifest.json", b"{", id="truncated manifest"),
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


def test_a_failed_download_leaves_nothing_behind(store: CountingStore, storage: Storage, cache: BundleCache, tmp_path: Path) -> None:
    version = publish_model(storage, tmp_path / "1", "1")
    storage.write(f"versions/{version}/model.keras", b"2")
    with pytest.raises(ModelError):
        cache.bundle(store, version)
    with pytest.raises(NotFound):
        cache.bundle(store, "20260101-00000000")
    (home,) = (tmp_path / "cache").iterdir()
    assert list(home.iterdir()) == []


def test_the_versions_used_least_recently_are_removed(store: CountingStore, storage: Storage, cache: BundleCache, tmp_path: Path) -> None:
    versions = [publish_model(storage, tmp_path / content, content) for content in "12345"]
    for version in versions:
        home = cache.bundle(store, version).folder.parent
        cache.bundle(store, versions[0])
    assert {entry.name for entry in home.iterdir()} == {versions[0], *versions[-2:]}


def test_an_interrupted_download_is_removed(store: CountingStore, storage: Storage, cache: BundleCache, tmp_path: Path) -> None:
    version = publish_model(storage, tmp_path / "1", "1")
    home = cache.bundle(store, version).folder.parent
    (home / ".0123456789").mkdir()
    (home / ".0123456789/model.keras").write_text("half")
    cache.bundle(store, version)
    assert [entry.name for entry in home.iterdir()] == [version]


def test_versions_of_two_models_are_separate(cache: BundleCache, tmp_path: Path) -> None:
    stores = [CountingStore(open_storage(str(tmp_path / root))) for root in ("mine", "yours")]
    versions = {publish_model(open_storage(store.uri), tmp_path / f"{at}", "1") for at, store in enumerate(stores)}
    (version,) = versions
    folders = {cache.bundle(store, version).folder for store in stores}
    assert len(folders) == 2
    assert [store.fetches for store in stores] == [1, 1]


def test_rejects_an_invalid_version_and_an_unwritable_cache(store: CountingStore, cache: BundleCache, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="etc"):
        cache.bundle(store, "../../etc")
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="MODEL_CACHE_DIR"):
        BundleCache(tmp_path / "file").bundle(store, "20260101-00000000")


def test_processes_share_the_cache(storage: Storage, tmp_path: Path) -> None:
    version = publish_model(storage, tmp_path / "1", "1")
    script = (
        "import sys; from pathlib import Path; from coinfarm.models.cache import BundleCache\n"
        "from coinfarm.models.store import open_model_source\n"
        "print(BundleCache(Path(sys.argv[1])).bundle(open_model_source(sys.argv[2]), sys.argv[3]).folder)"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "cache"), storage.uri(), version]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    outputs = {process.communicate()[0] for process in processes}
    assert [process.returncode for process in processes] == [0, 0, 0]
    (folder,) = outputs
    assert Bundle.open(Path(folder.strip())).manifest.version == version


def test_only_its_user_may_write_to_the_cache(
    store: CountingStore, storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = publish_model(storage, tmp_path / "1", "1")
    folder = tmp_path / "new/cache"
    before = os.umask(0)
    try:
        BundleCache(folder).bundle(store, version)
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for mode in (0o770, 0o707, 0o1777):
        folder.chmod(mode)
        with pytest.raises(Forbidden, match="MODEL_CACHE_DIR"):
            BundleCache(folder).bundle(store, version)
    folder.chmod(0o700)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(Forbidden, match="MODEL_CACHE_DIR"):
        BundleCache(folder).bundle(store, version)
    assert store.fetches == 1


@pytest.mark.parametrize(
    ("cache_home", "environment", "expected"),
    [
        pytest.param("cache", {}, "cache/coinfarm/models", id="the user's cache folder"),
        pytest.param("file/cache", {}, f"coinfarm-models-{os.getuid()}", id="no writable cache folder"),
        pytest.param("cache", {"AWS_LAMBDA_FUNCTION_NAME": "f"}, f"coinfarm-models-{os.getuid()}", id="the temporary folder on Lambda"),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="the cache folder of other systems is not named by XDG_CACHE_HOME")
def test_the_default_cache_folder(
    cache_home: str, environment: dict[str, str], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"XDG_CACHE_HOME": str(tmp_path / cache_home), **environment}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "file").touch()
    assert default_cache_dir() == tmp_path / expected
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("error", [RuntimeError("could not determine the home directory"), PermissionError(13, "Permission denied")])
def test_an_unusable_home_is_no_error(error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: str) -> Path:
        raise error

    monkeypatch.setattr("platformdirs.user_cache_path", fails)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert default_cache_dir() == tmp_path / f"coinfarm-models-{os.getuid()}"
