"""Storage in a local folder."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from coinfarm.errors import Forbidden, NotFound, StorageError, system_error_text
from coinfarm.storage.local_file import atomic_write, is_temporary, remove_abandoned
from coinfarm.storage.protocol import CHUNK_BYTES, Blob, checked_key, conflict, save_chunks, too_large


class FolderStorage:
    """Storage in a local folder, which is created at the first write. An etag is the sha256 of the bytes, in hex."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._tidied: set[Path] = set()

    def uri(self, key: str = "") -> str:
        return str(self._root / key)

    def read(self, key: str, max_bytes: int | None = None) -> Blob:
        with _translate_errors(self.uri(key)), self._path(key).open("rb") as file:
            data = file.read() if max_bytes is None else file.read(max_bytes + 1)
        if max_bytes is not None and len(data) > max_bytes:
            raise too_large(self.uri(key), max_bytes)
        return Blob(data, _etag(data))

    def read_if_changed(self, key: str, etag: str | None, max_bytes: int | None = None) -> Blob | None:
        blob = self.read(key, max_bytes)
        return None if blob.etag == etag else blob

    def write(
        self,
        key: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",  # noqa: ARG002 - files have no content type
        if_match: str | None = None,
        create_only: bool = False,
    ) -> str:
        path = self._path(key)
        with _translate_errors(self.uri(key)):
            self._prepare(path.parent)
            # The lock is held until the file is in place, but not while the disk writes: many files of a folder are written at once.
            with ExitStack() as lock, atomic_write(path) as temporary:
                with temporary.open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())  # so that a crash leaves the old content or the new
                lock.enter_context(folder_lock(path.parent))
                if create_only and path.exists():
                    raise conflict(self.uri(key))
                if if_match is not None and (not path.exists() or _etag(path.read_bytes()) != if_match):
                    raise conflict(self.uri(key))
        return _etag(data)

    def download(self, key: str, path: Path, max_bytes: int) -> None:
        with _translate_errors(self.uri(key)), self._path(key).open("rb") as source:
            save_chunks(iter(lambda: source.read(CHUNK_BYTES), b""), path, max_bytes, self.uri(key))

    def list(self, prefix: str = "") -> Iterator[str]:
        folder = self._path(prefix.rpartition("/")[0]) if "/" in prefix else self._root
        with _translate_errors(str(folder)):
            files = [path for path in folder.rglob("*") if path.is_file() and not is_temporary(path.name)]
        keys = sorted(path.relative_to(self._root).as_posix() for path in files)
        return (key for key in keys if key.startswith(prefix))

    def exists(self, key: str) -> bool:
        with _translate_errors(self.uri(key)):
            return self._path(key).is_file()

    def subfolder(self, key: str) -> "FolderStorage":
        return FolderStorage(self._path(key))

    def _prepare(self, folder: Path) -> None:
        """Make the folder of a file, and before its first file remove what killed writers left there."""
        if folder not in self._tidied:
            folder.mkdir(parents=True, exist_ok=True)
            remove_abandoned(folder)
            self._tidied.add(folder)

    def _path(self, key: str) -> Path:
        path = self._root / checked_key(key)
        # realpath, because Path.resolve raises a RuntimeError for circular links; only where there is a link, because it takes long
        if _has_link(path, key.count("/")) and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self._root)):
            raise Forbidden(f"{path} is a link to a file outside {self._root}: copy the file itself there")
        return path


def _has_link(path: Path, folders: int) -> bool:
    """Whether the path or one of the given number of folders above it is a symbolic link."""
    return any(place.is_symlink() for place in (path, *path.parents[:folders]))


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Lock the folder against other threads and processes. The lock of a process that dies is released."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _etag(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@contextmanager
def _translate_errors(where: str) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise NotFound(f"{where}: no such file") from error
    except PermissionError as error:
        raise Forbidden(f"{where}: permission denied; check its owner and mode") from error
    except OSError as error:
        error.filename = error.filename or where
        raise StorageError(system_error_text(error)) from error
