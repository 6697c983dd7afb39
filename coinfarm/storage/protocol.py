"""What every storage does, and what a key may be."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from coinfarm.errors import Conflict, Forbidden, TooLarge, shortened
from coinfarm.storage.local_file import naming_path

CHUNK_BYTES = 1 << 20
_MAX_KEY_BYTES, _MAX_PART_BYTES = 1024, 255
"""In bytes; S3 takes no longer key, and no file system that we know a longer name."""


class Blob(NamedTuple):
    """The bytes under a key, and the tag that changes when they do."""

    data: bytes
    etag: str


class Storage(Protocol):
    """Bytes under keys: relative POSIX paths, none of which leads out of the root.

    Every method but `uri` raises `Forbidden` for a key that is no such path or where access is denied, `Unavailable`
    where another try may do better, and another `StorageError` for what else the storage refuses.
    """

    def uri(self, key: str = "") -> str:
        """Where `key` lies, as a person would name it; without a key the root."""
        ...

    def read(self, key: str, max_bytes: int | None = None) -> Blob:
        """Raises `NotFound`, and `TooLarge` beyond `max_bytes`."""
        ...

    def read_if_changed(self, key: str, etag: str | None, max_bytes: int | None = None) -> Blob | None:
        """As `read`, but None while the bytes are still those of `etag`."""
        ...

    def write(
        self,
        key: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",
        if_match: str | None = None,
        create_only: bool = False,
    ) -> str:
        """Replace the bytes under `key` as a whole, and return their etag.

        Raises `Conflict` if those there are not the ones of the etag `if_match`, or with `create_only` if any are.
        """
        ...

    def download(self, key: str, path: Path, max_bytes: int) -> None:
        """Stream the bytes into the new file `path`. Raises as `read`; what was written by then is left behind."""
        ...

    def list(self, prefix: str = "") -> Iterator[str]:
        """The keys that start with `prefix`, sorted."""
        ...

    def exists(self, key: str) -> bool:
        """Whether bytes lie under `key`."""
        ...

    def subfolder(self, key: str) -> "Storage":
        """The storage whose root is `key` of this one."""
        ...


def checked_key(key: str) -> str:
    """The key itself; raises `Forbidden` unless it is a printable relative path without `..`, `.` or backslashes, not too long."""
    if not key.isprintable() or "\\" in key or any(part in ("", ".", "..") for part in key.split("/")):
        raise Forbidden(f"{shortened(repr(key), 200)} is no storage key: give a relative path such as folder/file.json, without '..'")
    if len(key.encode()) > _MAX_KEY_BYTES or any(len(part.encode()) > _MAX_PART_BYTES for part in key.split("/")):
        raise Forbidden(
            f"{shortened(repr(key), 200)} is no storage key: it may have {_MAX_KEY_BYTES} bytes, and {_MAX_PART_BYTES} between two slashes"
        )
    return key


def save(chunks: Iterable[bytes], path: Path, max_bytes: int, source: str) -> None:
    """Write the chunks to `path`; raises `TooLarge`, naming `source`, as soon as there are more than `max_bytes`."""
    size = 0
    with path.open("wb") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > max_bytes:
                raise too_large(source, max_bytes)
            with naming_path(path):
                file.write(chunk)


def too_large(where: str, max_bytes: int) -> TooLarge:
    """The error for what is larger than its reader allows."""
    return TooLarge(f"{where} is larger than the {max_bytes:,} bytes allowed there")


def conflict(where: str) -> Conflict:
    """The error for a conditional write that came too late."""
    return Conflict(f"{where} was written by somebody else in the meantime: look at what is there now")
