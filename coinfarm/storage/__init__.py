"""One place for bytes: S3 and local folders behind one Protocol.

What AWS or the operating system raises becomes an error of `coinfarm.errors` here, and nowhere else.
"""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from coinfarm.errors import Forbidden, StorageError
from coinfarm.storage.folder import FolderStorage
from coinfarm.storage.protocol import Blob, Storage, checked_key

__all__ = ["Blob", "Storage", "local_folder", "open_inside", "open_storage", "resolve"]

_S3 = "s3://"


def open_storage(root: str) -> Storage:
    """The storage at `s3://bucket/prefix`, `file:///folder` or a folder's path; nothing is asked of it yet.

    Raises `StorageError` for any other root.
    """
    if not root.startswith(_S3):
        return FolderStorage(_local_path(root))
    from coinfarm.storage.s3 import S3Storage  # boto3 costs a cold start what it need not pay for local files

    bucket, _, prefix = root.removeprefix(_S3).partition("/")
    if not bucket:
        raise StorageError(f"{root} names no bucket: write s3://bucket/prefix")
    return S3Storage(bucket, prefix.strip("/"))


def local_folder(root: str) -> Path | None:
    """The folder of a root on this machine; None for one in S3. Raises `StorageError` for any other."""
    return None if root.startswith(_S3) else _local_path(root)


def resolve(uri: str, root: str) -> tuple[Storage, str]:
    """The storage at `root`, and the key in it of `uri`: relative to the root, or absolute and inside it.

    Raises `Forbidden` for any other: a message from outside must not make us read or write elsewhere.
    """
    storage = open_storage(root)
    if not _is_absolute(uri):
        return storage, checked_key(uri)
    home = storage.uri().rstrip("/") + "/"
    place = _place(uri)
    if not place.startswith(home):
        raise Forbidden(f"{uri} lies outside {root}: name something inside it")
    return storage, checked_key(place.removeprefix(home))


def open_inside(uri: str, root: str) -> Storage:
    """The storage at `uri`, which is `root` itself or a folder inside it. Raises `Forbidden` for any other, as `resolve`."""
    home = open_storage(root)
    if _is_absolute(uri) and _place(uri).rstrip("/") == home.uri().rstrip("/"):
        return home
    storage, key = resolve(uri.removesuffix("/"), root)
    return storage.subfolder(key)


def _is_absolute(uri: str) -> bool:
    return uri.startswith("/") or "://" in uri


def _place(uri: str) -> str:
    """An absolute URI as `Storage.uri` spells it. Whoever names what is no place at all, wants to be elsewhere."""
    try:
        return uri if uri.startswith(_S3) else str(_local_path(uri))
    except StorageError as error:
        raise Forbidden(str(error)) from None


def _local_path(root: str) -> Path:
    if "://" not in root:
        return Path(root)
    try:
        parts = urlsplit(root)
    except ValueError as error:
        raise StorageError(f"{root} is no URI: {error}") from None
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        raise StorageError(f"{root} is neither an s3:// URI, nor a folder, nor a file:// URI of this machine")
    return Path(unquote(parts.path))
