import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from coinfarm.errors import Conflict, Forbidden, NotFound, StorageError, TooLarge
from coinfarm.storage import Storage, open_storage, resolve
from coinfarm.storage.s3 import S3Storage


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return open_storage(str(tmp_path / "root"))


def test_what_is_written_is_read_back(storage: Storage) -> None:
    etag = storage.write("a/b.json", b"{}")
    assert storage.read("a/b.json") == (b"{}", etag)
    assert storage.exists("a/b.json")


def test_a_read_is_answered_only_if_the_bytes_changed(storage: Storage) -> None:
    etag = storage.write("key", b"old")
    assert storage.read_if_changed("key", etag) is None
    storage.write("key", b"new")
    changed = storage.read_if_changed("key", etag)
    assert changed is not None
    assert changed.data == b"new"


def test_a_write_with_a_stale_etag_changes_nothing(storage: Storage) -> None:
    stale = storage.write("key", b"first")
    fresh = storage.write("key", b"second", if_match=stale)
    with pytest.raises(Conflict, match="written by somebody else"):
        storage.write("key", b"third", if_match=stale)
    assert storage.read("key") == (b"second", fresh)


def test_a_write_with_an_etag_does_not_create(storage: Storage) -> None:
    with pytest.raises(Conflict):
        storage.write("key", b"", if_match="0")
    assert not storage.exists("key")


def test_what_may_only_be_created_is_not_replaced(storage: Storage) -> None:
    storage.write("key", b"first", create_only=True)
    with pytest.raises(Conflict):
        storage.write("key", b"second", create_only=True)
    assert storage.read("key").data == b"first"


def test_threads_that_count_with_conditional_writes_lose_no_count(storage: Storage) -> None:
    storage.write("count", b"0")

    def count(_: int) -> None:
        while True:
            data, etag = storage.read("count")
            try:
                storage.write("count", str(int(data) + 1).encode(), if_match=etag)
            except Conflict:
                continue
            return

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(count, range(20)))
    assert storage.read("count").data == b"20"


def test_nothing_larger_than_allowed_is_read(storage: Storage, tmp_path: Path) -> None:
    storage.write("key", b"12345")
    assert storage.read("key", max_bytes=5).data == b"12345"
    storage.download("key", tmp_path / "copy", max_bytes=5)
    assert (tmp_path / "copy").read_bytes() == b"12345"
    with pytest.raises(TooLarge, match=r"root/key is larger than the 4 bytes"):
        storage.read("key", max_bytes=4)
    with pytest.raises(TooLarge, match=r"root/key is larger than the 4 bytes"):
        storage.download("key", tmp_path / "copy", max_bytes=4)


def test_what_is_not_there_is_not_found(storage: Storage, tmp_path: Path) -> None:
    storage.write("folder/key", b"")
    for key in ("other", "folder", "folder/key/below"):
        assert not storage.exists(key)
        with pytest.raises(NotFound, match=key):
            storage.read(key)
        with pytest.raises(NotFound, match=key):
            storage.download(key, tmp_path / "copy", max_bytes=1)
    assert list(open_storage(str(tmp_path / "nowhere")).list()) == []


def test_keys_are_listed_by_prefix_and_sorted(storage: Storage, tmp_path: Path) -> None:
    for key in ("b/2", "b/1/x", "a", "ba"):
        storage.write(key, b"")
    (tmp_path / "root/b/.half-written.tmp").touch()
    assert list(storage.list()) == ["a", "b/1/x", "b/2", "ba"]
    assert list(storage.list("b/")) == ["b/1/x", "b/2"]
    assert list(storage.list("b")) == ["b/1/x", "b/2", "ba"]


BAD_KEYS = [
    pytest.param("", id="empty"),
    pytest.param("/etc/passwd", id="absolute"),
    pytest.param("../up", id="up"),
    pytest.param("a/../../up", id="up from inside"),
    pytest.param("a//b", id="empty part"),
    pytest.param("a/./b", id="dot"),
    pytest.param("a/", id="folder"),
    pytest.param("a\\b", id="backslash"),
    pytest.param("a\0b", id="nul"),
    pytest.param("a\nb", id="line break"),
    pytest.param("a\ud800", id="half a surrogate pair"),
]


@pytest.mark.parametrize("key", BAD_KEYS)
@pytest.mark.parametrize("root", ["s3://bucket/prefix", "folder"])
def test_a_key_that_is_no_relative_path_is_refused(key: str, root: str, tmp_path: Path) -> None:
    storage = open_storage(root if root.startswith("s3") else str(tmp_path / root))
    for use in (storage.read, storage.exists, lambda key: storage.write(key, b""), lambda key: storage.download(key, tmp_path / "x", 1)):
        with pytest.raises(Forbidden, match="is no storage key"):
            use(key)


def test_a_link_that_leads_out_of_the_root_is_refused(storage: Storage, tmp_path: Path) -> None:
    storage.write("inside", b"ours")
    (tmp_path / "secret").write_bytes(b"theirs")
    (tmp_path / "root/out").symlink_to(tmp_path / "secret")
    (tmp_path / "root/up").symlink_to(tmp_path)
    (tmp_path / "root/in").symlink_to(tmp_path / "root/inside")
    for key in ("out", "up/secret", "up/new"):
        with pytest.raises(Forbidden, match="leads out of"):
            storage.read(key)
        with pytest.raises(Forbidden, match="leads out of"):
            storage.write(key, b"")
    assert storage.read("in").data == b"ours"


def test_links_in_a_circle_are_an_error_of_the_storage(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root/circle").symlink_to("circle")
    with pytest.raises(StorageError, match="symbolic links"):
        storage.read("circle")


@pytest.mark.parametrize(
    ("uri", "root", "key"),
    [
        pytest.param("a/b.json", "s3://bucket/prefix", "a/b.json", id="relative to S3"),
        pytest.param("s3://bucket/prefix/a/b.json", "s3://bucket/prefix/", "a/b.json", id="absolute in S3"),
        pytest.param("s3://bucket/a", "s3://bucket", "a", id="absolute in a whole bucket"),
        pytest.param("a/b.json", "/data/candles", "a/b.json", id="relative to a folder"),
        pytest.param("/data/candles/a", "/data/candles", "a", id="absolute in a folder"),
        pytest.param("file:///data/candles/a%20b", "file:///data/candles", "a b", id="file URI"),
        pytest.param("/a", "/", "a", id="in the root of all"),
    ],
)
def test_a_uri_inside_the_root_resolves_to_its_key(uri: str, root: str, key: str) -> None:
    storage, found = resolve(uri, root)
    assert found == key
    assert storage.uri() == open_storage(root).uri()


@pytest.mark.parametrize(
    ("uri", "root"),
    [
        pytest.param("s3://bucket/other/a", "s3://bucket/prefix", id="other prefix"),
        pytest.param("s3://bucket/prefix2/a", "s3://bucket/prefix", id="prefix of the name only"),
        pytest.param("s3://bucket2/prefix/a", "s3://bucket/prefix", id="other bucket"),
        pytest.param("s3://bucket/prefix/../other", "s3://bucket/prefix", id="up and out"),
        pytest.param("s3://bucket/prefix/", "s3://bucket/prefix", id="the root itself"),
        pytest.param("/data/candles", "s3://bucket/prefix", id="folder for S3"),
        pytest.param("s3://bucket/a", "/data", id="S3 for a folder"),
        pytest.param("/data/candles2/a", "/data/candles", id="other folder"),
        pytest.param("/data/candles/../x", "/data/candles", id="up and out of a folder"),
        pytest.param("file:///data/%2e%2e/x", "/data", id="up and out, disguised"),
        pytest.param("../x", "/data", id="relative, up"),
    ],
)
def test_a_uri_outside_the_root_is_forbidden(uri: str, root: str) -> None:
    with pytest.raises(Forbidden):
        resolve(uri, root)


@pytest.mark.parametrize("root", ["https://example.org/x", "file://server/share", "s3://", "s3:///prefix"])
def test_a_root_that_is_neither_s3_nor_a_folder_is_refused(root: str) -> None:
    with pytest.raises(StorageError, match=root):
        open_storage(root)


def test_a_uri_names_the_place(tmp_path: Path) -> None:
    assert open_storage("s3://bucket/prefix/").uri("a/b") == "s3://bucket/prefix/a/b"
    assert open_storage("s3://bucket").uri() == "s3://bucket"
    assert isinstance(open_storage("s3://bucket"), S3Storage)
    assert open_storage(str(tmp_path)).uri("a") == str(tmp_path / "a")


def test_a_local_folder_is_used_without_loading_boto3() -> None:
    script = "import sys; from coinfarm.storage import open_storage; open_storage('.'); sys.exit('boto3' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)
