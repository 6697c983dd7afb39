"""What is particular to a storage in a local folder: locks, links, temporary files, errors of the file system."""

import errno
import fcntl
import hashlib
import os
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from coinfarm.errors import Conflict, Forbidden, NotFound, StorageError, TooLarge
from coinfarm.storage import Storage, open_storage
from coinfarm.storage import folder as folder_module
from coinfarm.storage.folder import FolderStorage, folder_lock
from coinfarm.storage.local_file import temporary_path
from coinfarm.storage.protocol import CHUNK_BYTES


def test_an_etag_is_the_sha256_of_the_bytes(folder: Storage) -> None:
    assert folder.write("key", b"data") == folder.read("key").etag == hashlib.sha256(b"data").hexdigest()


def test_a_relative_root_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    storage = FolderStorage(Path("root"))
    monkeypatch.chdir("/")
    assert storage.uri("key") == str(tmp_path / "root/key")


def test_a_folder_is_made_at_the_first_write(tmp_path: Path) -> None:
    storage = open_storage(str(tmp_path / "a/b"))
    assert list(storage.list()) == []
    assert not (tmp_path / "a").exists()
    with pytest.raises(Conflict):
        storage.write("c/key", b"", if_match="0")
    assert not storage.exists("c/key")
    storage.write("c/key", b"")
    assert (tmp_path / "a/b/c/key").exists()


def test_threads_that_count_with_conditional_writes_lose_no_count(folder: Storage) -> None:
    folder.write("count", b"0")

    def count(_: int) -> None:
        while True:
            data, etag = folder.read("count")
            try:
                folder.write("count", str(int(data) + 1).encode(), if_match=etag)
            except Conflict:
                continue
            return

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(count, range(20)))
    assert folder.read("count").data == b"20"


def test_one_holds_the_lock_of_a_folder_at_a_time(tmp_path: Path) -> None:
    other = os.open(tmp_path, os.O_RDONLY)
    with folder_lock(tmp_path), pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(other)


def test_a_write_that_fails_leaves_the_old_file_and_no_other(folder: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write("key", b"old")

    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(folder_module.os, "fsync", fail)
    with pytest.raises(StorageError, match=folder.uri("key")):
        folder.write("key", b"new")
    assert [path.name for path in (tmp_path / "root").iterdir()] == ["key"]
    assert folder.read("key").data == b"old"


def test_a_list_leaves_out_unfinished_files_and_does_not_leave_the_root(folder: Storage, tmp_path: Path) -> None:
    for key in (".hidden", "log.tmp", "a/.b"):
        folder.write(key, b"")
    temporary_path(tmp_path / "root/a/half-written").touch()
    (tmp_path / "root/empty").mkdir()
    assert list(folder.list()) == [".hidden", "a/.b", "log.tmp"]
    for prefix in ("../", "a/../../"):
        with pytest.raises(Forbidden):
            folder.list(prefix)


def test_a_writer_removes_what_a_killed_one_left_a_day_ago(tmp_path: Path) -> None:
    """A file of a running writer stays, and so does any other hidden file."""
    (tmp_path / "a").mkdir()
    path = tmp_path / "a/key"
    killed, running, foreign = temporary_path(path), temporary_path(path), path.with_name(".notes.tmp")
    for left, hours in ((killed, 25), (running, 23), (foreign, 25)):
        left.touch()
        os.utime(left, (time.time() - hours * 3600,) * 2)
    FolderStorage(tmp_path).write("a/key", b"")
    assert {left.name for left in path.parent.iterdir()} == {"key", running.name, foreign.name}


def test_rejects_a_link_that_leads_out_of_the_root(folder: Storage, tmp_path: Path) -> None:
    folder.write("inside", b"ours")
    (tmp_path / "secret").write_bytes(b"theirs")
    (tmp_path / "root/out").symlink_to(tmp_path / "secret")
    (tmp_path / "root/up").symlink_to(tmp_path)
    (tmp_path / "root/in").symlink_to(tmp_path / "root/inside")
    for key in ("out", "up/secret", "up/new"):
        for use in (folder.read, folder.exists, folder.subfolder, lambda key: folder.write(key, b"")):
            with pytest.raises(Forbidden):
                use(key)
    assert (tmp_path / "secret").read_bytes() == b"theirs"
    assert folder.read("in").data == b"ours"
    (tmp_path / "link").symlink_to(tmp_path / "root")
    assert open_storage(str(tmp_path / "link")).read("inside").data == b"ours", "the root itself may be a link"


def test_links_in_a_circle_are_a_storage_error(folder: Storage, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root/circle").symlink_to("circle")
    with pytest.raises(StorageError, match=folder.uri("circle")) as raised:
        folder.read("circle")
    assert type(raised.value) is StorageError


@pytest.mark.parametrize(
    ("error", "translated"),
    [
        (FileNotFoundError(errno.ENOENT, ""), NotFound),
        (IsADirectoryError(errno.EISDIR, ""), NotFound),
        (NotADirectoryError(errno.ENOTDIR, ""), NotFound),
        (PermissionError(errno.EACCES, ""), Forbidden),
        (OSError(errno.EIO, "", "/other"), StorageError),
        (OSError(errno.EIO, ""), StorageError),
    ],
    ids=repr,
)
def test_translates_errors_of_the_file_system(
    error: OSError, translated: type[StorageError], folder: Storage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise type(error)(error.errno, "", error.filename)

    for method in ("open", "is_file", "rglob", "mkdir"):
        monkeypatch.setattr(Path, method, fail)
    uses = [folder.read, lambda key: folder.download(key, tmp_path / "copy", 1), lambda key: folder.write(key, b""), folder.exists]
    for use in (*uses, folder.list):
        with pytest.raises(translated, match=error.filename or folder.uri("a" if use == folder.list else "a/key")) as raised:
            use("a/key")
        assert type(raised.value) is translated


def test_no_more_is_read_than_the_limit_needs(folder: Storage, tmp_path: Path) -> None:
    folder.write("large", b"")
    with (tmp_path / "root/large").open("wb") as file:
        file.truncate(64 * CHUNK_BYTES)
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            folder.read("large", max_bytes=10)
        with pytest.raises(TooLarge):
            folder.download("large", tmp_path / "copy", max_bytes=10)
        assert tracemalloc.get_traced_memory()[1] < 3 * CHUNK_BYTES
    finally:
        tracemalloc.stop()
