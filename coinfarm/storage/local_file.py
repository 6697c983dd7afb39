"""Files on this machine's disk: written as a whole or not at all, and checked before the work that fills them."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


def write_file(path: Path, data: bytes | str) -> None:
    """Replace the file at `path` as a whole; text is written as UTF-8. Raises as `atomic_write`."""
    with atomic_write(path) as unfinished:
        unfinished.write_bytes(data.encode() if isinstance(data, str) else data)


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A temporary file beside `path` to write to. It replaces `path` at the end, and is removed after an error.

    Missing folders are created. A device or a pipe, such as `/dev/stdout`, is written directly. Raises `OSError`, which names `path`.
    """
    with naming_path(path):
        if path.exists() and not path.is_file():
            yield path
            return
        target = Path(os.path.realpath(path))  # a link stays a link
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f".{uuid4().hex}.tmp")
        try:
            yield unfinished
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)


@contextmanager
def naming_path(path: Path) -> Iterator[None]:
    """Lets an `OSError` name `path`: one that comes of a write names no file, and one of a temporary file names that."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise


def check_writable(path: Path) -> None:
    """Raises the `OSError` that writing a new entry at `path` would raise, as far as that can be known before. Creates nothing."""
    with naming_path(path):
        folder = path.absolute()
        while not folder.exists():
            folder = folder.parent
        if folder == path.absolute():
            if not os.access(folder, os.W_OK):
                raise _error_of(folder)
            folder = folder.parent if not folder.is_dir() else folder
        elif not folder.is_dir():
            raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        elif not os.access(folder, os.W_OK | os.X_OK):
            raise _error_of(folder)
        space = os.statvfs(folder)
        if space.f_blocks and not (space.f_bfree if os.geteuid() == 0 else space.f_bavail):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _error_of(path: Path) -> OSError:
    """Why `path` is not writable, as the system puts it."""
    code = errno.EROFS if os.statvfs(path).f_flag & os.ST_RDONLY else errno.EACCES
    return OSError(code, os.strerror(code))
