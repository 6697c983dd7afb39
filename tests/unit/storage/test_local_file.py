"""Files written as a whole or not at all, and checked before the work that fills them."""

import errno
import os
import tempfile
from contextlib import nullcontext
from pathlib import Path

import pytest

from coinfarm.storage import local_file
from coinfarm.storage.local_file import atomic_write, check_writable, temporary_copy, write_file, write_temporary


def files_under(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("data", [b"\xff\x00", "é"], ids=["bytes", "text"])
def test_writes_a_file_in_new_folders(data: bytes | str, tmp_path: Path) -> None:
    write_file(tmp_path / "a/b/file", data)
    assert (tmp_path / "a/b/file").read_bytes() == (data if isinstance(data, bytes) else data.encode("utf-8"))
    assert files_under(tmp_path) == ["a", "a/b", "a/b/file"]


@pytest.mark.parametrize("error", [None, ZeroDivisionError])
def test_replaces_a_file_at_the_end_if_there_was_no_error_and_leaves_no_other(error: type[Exception] | None, tmp_path: Path) -> None:
    write_file(tmp_path / "file", "old")
    with pytest.raises(error) if error else nullcontext(), atomic_write(tmp_path / "file") as unfinished:
        unfinished.write_text("new")
        assert (tmp_path / "file").read_text() == "old"
        assert unfinished.parent == tmp_path
        assert unfinished.name.startswith(".")
        if error:
            raise error
    assert (tmp_path / "file").read_text() == ("old" if error else "new")
    assert files_under(tmp_path) == ["file"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "there")
    write_file(tmp_path / "link", "text")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there").read_text() == "text"


def test_a_device_is_written_directly() -> None:
    with atomic_write(Path("/dev/null")) as unfinished:
        assert unfinished == Path("/dev/null")
    assert not Path("/dev/null").is_file()


@pytest.mark.parametrize("name", ["/dev/full", "file/below"], ids=["no room on a device", "no folder"])
def test_an_error_of_the_system_names_the_file(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / name
    with pytest.raises(OSError, match=str(path)) as raised:
        write_file(path, "text")
    assert (raised.value.filename, raised.value.filename2) == (str(path), None)


@pytest.mark.parametrize("name", ["", "a/b/c", "file", "link"])
def test_checking_creates_nothing(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("there")
    monkeypatch.chdir(tmp_path)
    check_writable(tmp_path / name)
    check_writable(Path(name))
    assert files_under(tmp_path) == ["file", "link"]


def file_system(blocks: int = 9, free: int = 9, available: int = 9, flags: int = 0) -> os.statvfs_result:
    return os.statvfs_result((1, 1, blocks, free, available, 1, 1, 1, flags, 255))


def error_code(path: Path) -> int:
    """The error's number."""
    with pytest.raises(OSError, match=str(path)) as raised:
        check_writable(path)
    assert raised.value.filename == str(path)
    assert raised.value.errno
    assert raised.value.strerror == os.strerror(raised.value.errno)
    return raised.value.errno


def test_there_is_no_folder_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert error_code(tmp_path / "file/a/b") == errno.ENOTDIR


@pytest.mark.parametrize(("name", "denied"), [("file", os.W_OK), ("", os.W_OK), ("new", os.W_OK), ("new", os.X_OK)])
@pytest.mark.parametrize(("flags", "code"), [(0, errno.EACCES), (os.ST_RDONLY, errno.EROFS)], ids=["denied", "read-only"])
def test_a_place_without_permission_is_reported(
    name: str, denied: int, flags: int, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    requested = tmp_path / (name if name == "file" else "")
    monkeypatch.setattr(local_file.os, "access", lambda path, mode: not (path == requested and mode & denied))
    monkeypatch.setattr(local_file.os, "statvfs", lambda path: file_system(flags=flags if path == requested else 0))
    assert error_code(tmp_path / name) == code


@pytest.mark.parametrize(
    ("user", "blocks", "free", "available", "full"),
    [
        pytest.param(1000, 9, 1, 1, False, id="room"),
        pytest.param(1000, 9, 1, 0, True, id="room for root only"),
        pytest.param(0, 9, 1, 0, False, id="root"),
        pytest.param(0, 9, 0, 0, True, id="no room for root"),
        pytest.param(1000, 0, 0, 0, False, id="a file system that counts no blocks"),
    ],
)
@pytest.mark.parametrize("name", ["", "file", "a/b"])
def test_a_full_disk_is_reported(
    user: int, blocks: int, free: int, available: int, full: bool, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()

    def statvfs(path: Path) -> os.statvfs_result:
        assert path == tmp_path
        return file_system(blocks, free, available)

    monkeypatch.setattr(local_file.os, "geteuid", lambda: user)
    monkeypatch.setattr(local_file.os, "statvfs", statvfs)
    if full:
        assert error_code(tmp_path / name) == errno.ENOSPC
    else:
        check_writable(tmp_path / name)


def test_a_temporary_copy_has_no_name_and_starts_at_its_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with temporary_copy([b"ab", b"", b"c"]) as file:
        assert file.read() == b"abc"
        assert files_under(tmp_path) == []


def test_no_room_is_an_error_that_names_the_folder_of_temporary_files() -> None:
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)) as raised, Path("/dev/full").open("wb", buffering=0) as file:
        write_temporary(file, b"1")
    assert raised.value.filename == tempfile.gettempdir()
