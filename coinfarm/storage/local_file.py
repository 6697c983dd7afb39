"""Local files: atomic writes, and checks before long work that a file can be written."""

import errno
import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
from uuid import uuid4

_TEMPORARY_NAME = re.compile(r"\.[0-9a-f]{32}\.tmp")
_ABANDONED_AFTER_S = 24 * 3600


def write_file(path: Path, data: bytes | str) -> None:
    """Write the file at `path` atomically; text is written as UTF-8. Raises `OSError`, which names `path`."""
    with atomic_write(path) as temporary:
        temporary.write_bytes(data.encode() if isinstance(data, str) else data)


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A temporary path next to `path` to write to. It replaces `path` at the end, and is removed after an error.

    Missing folders are created. A device or a pipe, such as `/dev/stdout`, is written directly. Raises `OSError`, which names `path`.
    """
    with naming_path(path):
        if path.exists() and not path.is_file():
            yield path
            return
        target = Path(os.path.realpath(path)) if path.is_symlink() else path  # a symbolic link stays a link
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = temporary_path(target)
        try:
            yield temporary
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)


def temporary_path(path: Path) -> Path:
    """A new hidden path next to `path`."""
    return path.with_name(f".{uuid4().hex}.tmp")


def is_temporary(name: str) -> bool:
    """Whether it is the name of a `temporary_path`."""
    return bool(_TEMPORARY_NAME.fullmatch(name))


def remove_abandoned(folder: Path) -> None:
    """Remove the temporary files in a folder that nobody has written to for a day: their writers were killed. What is protected stays."""
    oldest_s = time.time() - _ABANDONED_AFTER_S
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if is_temporary(entry.name) and entry.stat(follow_symlinks=False).st_mtime < oldest_s:
                Path(entry.path).unlink()


@contextmanager
def temporary_file() -> Iterator[IO[bytes]]:
    """An open temporary file without a name: nothing is left of it after a kill. It has no buffer that may not find room at the end."""
    with tempfile.TemporaryFile(buffering=0) as file:
        yield file


def write_temporary(file: IO[bytes], data: bytes | memoryview) -> None:
    """Write all of the data to a `temporary_file`. Raises `OSError`, which names the folder of temporary files."""
    rest = memoryview(data).cast("B")
    with naming_path(Path(tempfile.gettempdir())):
        while rest:
            rest = rest[file.write(rest) :]


@contextmanager
def temporary_copy(blocks: Iterable[bytes]) -> Iterator[IO[bytes]]:
    """A `temporary_file` of the blocks, at its start. Raises `OSError` as `write_temporary`."""
    with temporary_file() as file:
        for block in blocks:
            write_temporary(file, block)
        file.seek(0)
        yield file


@contextmanager
def naming_path(path: Path) -> Iterator[None]:
    """Make an `OSError` name `path`: that of a write names no file, and that of a temporary file names the temporary one."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise


def nearest_existing(path: Path) -> Path:
    """The path if it exists, otherwise its nearest parent that does."""
    return next(parent for parent in (path, *path.parents) if parent.exists())


def check_writable(path: Path) -> None:
    """Raise the `OSError` that writing a new file or folder at `path` would raise, where it can be detected. Creates nothing."""
    with naming_path(path):
        folder = nearest_existing(path.absolute())
        if folder == path.absolute():
            if not os.access(folder, os.W_OK):
                raise _not_writable(folder)
            folder = folder.parent if not folder.is_dir() else folder
        elif not folder.is_dir():
            raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        elif not os.access(folder, os.W_OK | os.X_OK):
            raise _not_writable(folder)
        space = os.statvfs(folder)
        if space.f_blocks and not (space.f_bfree if os.geteuid() == 0 else space.f_bavail):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _not_writable(path: Path) -> OSError:
    """The system's error for writing to `path`."""
    code = errno.EROFS if os.statvfs(path).f_flag & os.ST_RDONLY else errno.EACCES
    return OSError(code, os.strerror(code))
