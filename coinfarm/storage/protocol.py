"""The storage protocol, and the rules for keys."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from coinfarm.errors import Conflict, Forbidden, TooLarge, shortened
from coinfarm.storage.local_file import naming_path

CHUNK_BYTES = 1 << 20
_MAX_KEY_BYTES, _MAX_PART_BYTES = 1024, 255
"""S3's limit for a key, and the usual limit of file systems for a name."""


class Blob(NamedTuple):
    """The bytes stored under a key, and their etag, which changes when they do."""

    data: bytes
    etag: str


class Storage(Protocol):
    """Bytes stored under keys, which are relative POSIX paths inside the root.

    Every method except `uri` raises `Forbidden` for an invalid key and where access is denied, `Unavailable` if a retry may succeed, and
    another `StorageError` for other failures.
    """

    def uri(self, key: str = "") -> str:
        """The URI or path of `key`; without a key, that of the root."""
        ...

    def read(self, key: str, max_bytes: int | None = None) -> Blob:
        """The bytes under `key`. Raises `NotFound`, and `TooLarge` above `max_bytes`."""
        ...

    def read_if_changed(self, key: str, etag: str | None, max_bytes: int | None = None) -> Blob | None:
        """Like `read`, but None if the bytes still have `etag`."""
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
        """Replace the bytes under `key` atomically, and return their etag.

        Raises `Conflict` if the stored bytes do not have the etag `if_match`, or, with `create_only`, if the key exists.
        """
        ...

    def download(self, key: str, path: Path, max_bytes: int) -> None:
        """Stream the bytes into the new file `path`. Raises the errors of `read`, and leaves a partial file behind."""
        ...

    def list(self, prefix: str = "") -> Iterator[str]:
        """The keys that start with `prefix`, sorted."""
        ...

    def exists(self, key: str) -> bool:
        """Whether the key exists."""
        ...

    def subfolder(self, key: str) -> "Storage":
        """The storage whose root is the folder `key` of this one."""
        ...


def checked_key(key: str) -> str:
    """The key itself. Raises `Forbidden` if it is too long, or not a printable relative path without `..`, `.` and backslashes."""
    if not key.isprintable() or "\\" in key or any(part in ("", ".", "..") for part in key.split("/")):
        raise Forbidden(
            f"{shortened(repr(key), 200)} is not a valid storage key: use a relative path such as folder/file.json, without '..'"
        )
    if len(key.encode()) > _MAX_KEY_BYTES or any(len(part.encode()) > _MAX_PART_BYTES for part in key.split("/")):
        raise Forbidden(
            f"{shortened(repr(key), 200)} is not a valid storage key: the limit is {_MAX_KEY_BYTES} bytes, and {_MAX_PART_BYTES} per part"
        )
    return key


def save_chunks(chunks: Iterable[bytes], path: Path, max_bytes: int, source: str) -> None:
    """Write the chunks to `path`. Raises `TooLarge`, which names `source`, after more than `max_bytes`."""
    size = 0
    with path.open("wb") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > max_bytes:
                raise too_large(source, max_bytes)
            with naming_path(path):
                file.write(chunk)


def too_large(where: str, max_bytes: int) -> TooLarge:
    """The error for data that is larger than its reader allows."""
    return TooLarge(f"{where} is larger than the limit of {max_bytes:,} bytes")


def conflict(where: str) -> Conflict:
    """The error for a failed conditional write."""
    return Conflict(f"{where} was changed by another writer in the meantime: read it again")
