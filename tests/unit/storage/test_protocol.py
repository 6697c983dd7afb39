"""What every storage does, in a folder and in S3."""

from pathlib import Path

import pytest

from coinfarm.errors import Conflict, Forbidden, NotFound, TooLarge
from coinfarm.storage import Storage
from coinfarm.storage.protocol import CHUNK_BYTES, checked_key, save_chunks


def test_reads_what_was_written(storage: Storage, tmp_path: Path) -> None:
    data = bytes(range(256)) * (CHUNK_BYTES // 256) + b"end"
    etag = storage.write("a/b.json", data)
    assert storage.read("a/b.json") == (data, etag)
    assert storage.exists("a/b.json")
    storage.download("a/b.json", tmp_path / "copy", max_bytes=len(data))
    assert (tmp_path / "copy").read_bytes() == data


def test_reads_only_what_changed(storage: Storage) -> None:
    etag = storage.write("key", b"old")
    assert storage.read_if_changed("key", etag) is None
    assert storage.read_if_changed("key", None) == (b"old", etag)
    new_etag = storage.write("key", b"newer")
    assert storage.read_if_changed("key", etag, max_bytes=5) == (b"newer", new_etag)
    with pytest.raises(TooLarge):
        storage.read_if_changed("key", etag, max_bytes=4)


def test_a_conditional_write_changes_nothing_if_its_condition_does_not_hold(storage: Storage) -> None:
    stale = storage.write("key", b"first", create_only=True)
    fresh = storage.write("key", b"second", if_match=stale)
    for condition in ({"if_match": stale}, {"create_only": True}):
        with pytest.raises(Conflict, match=storage.uri("key")):
            storage.write("key", b"third", **condition)  # type: ignore[arg-type]
    assert storage.read("key") == (b"second", fresh)


def test_a_limit_is_the_largest_size_allowed(storage: Storage, tmp_path: Path) -> None:
    storage.write("key", b"12345")
    assert storage.read("key", max_bytes=5).data == b"12345"
    storage.download("key", tmp_path / "copy", max_bytes=5)
    for read in (lambda: storage.read("key", max_bytes=4), lambda: storage.download("key", tmp_path / "copy", max_bytes=4)):
        with pytest.raises(TooLarge, match=f"{storage.uri('key')} .* 4 "):
            read()


@pytest.mark.parametrize("key", ["other", "folder", "folder/key/below"])
def test_a_missing_key_is_not_found(storage: Storage, key: str, tmp_path: Path) -> None:
    storage.write("folder/key", b"")
    assert not storage.exists(key)
    for read in (storage.read, lambda key: storage.download(key, tmp_path / "copy", max_bytes=1)):
        with pytest.raises(NotFound, match=storage.uri(key)):
            read(key)


def test_lists_keys_by_prefix_in_order(storage: Storage) -> None:
    for key in ("b/2", "b/1/x", "a", "ba"):
        storage.write(key, b"")
    assert list(storage.list()) == ["a", "b/1/x", "b/2", "ba"]
    assert list(storage.list("b/")) == ["b/1/x", "b/2"]
    assert list(storage.list("b/1/")) == ["b/1/x"]
    assert list(storage.list("b")) == ["b/1/x", "b/2", "ba"]
    assert list(storage.list("c")) == []


def test_a_subfolder_is_a_storage_of_its_own(storage: Storage) -> None:
    inner = storage.subfolder("a/b")
    inner.write("key", b"data")
    assert storage.read("a/b/key").data == b"data"
    assert list(inner.list()) == ["key"]
    assert inner.uri() == storage.uri("a/b")
    with pytest.raises(Forbidden):
        storage.subfolder("../up")


@pytest.mark.parametrize(
    "key", ["", "/etc/passwd", "../up", "a/../../up", "a//b", "a/./b", "a/", "a\\b", "a\0b", "a\nb", "a\ud800"], ids=ascii
)
def test_rejects_a_key_that_is_no_relative_path(storage: Storage, key: str, tmp_path: Path) -> None:
    for use in (storage.read, storage.exists, lambda key: storage.write(key, b""), lambda key: storage.download(key, tmp_path / "x", 1)):
        with pytest.raises(Forbidden):
            use(key)


LONGEST = "/".join("a" * count for count in (255, 255, 255, 100, 155))


@pytest.mark.parametrize(("key", "longer"), [("é" * 127 + "e", "é" * 128), (LONGEST, LONGEST + "a")], ids=["part", "key"])
def test_a_key_has_1024_bytes_and_each_part_255(key: str, longer: str) -> None:
    assert checked_key(key) == key
    assert len(key.encode()) in (255, 1024)
    with pytest.raises(Forbidden):
        checked_key(longer)


@pytest.mark.parametrize(("max_bytes", "written"), [(4, b"aabb"), (3, b"aa")])
def test_saving_stops_at_the_first_chunk_too_many(max_bytes: int, written: bytes, tmp_path: Path) -> None:
    chunks = iter([b"aa", b"bb", b"c"])
    with pytest.raises(TooLarge, match=f"source .* {max_bytes} "):
        save_chunks(chunks, tmp_path / "copy", max_bytes, "source")
    assert (tmp_path / "copy").read_bytes() == written


def test_a_full_disk_names_the_file() -> None:
    with pytest.raises(OSError, match="/dev/full") as raised:
        save_chunks([b"x" * CHUNK_BYTES], Path("/dev/full"), CHUNK_BYTES, "source")
    assert raised.value.filename == "/dev/full"
