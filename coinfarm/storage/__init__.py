"""Storage of bytes in S3 or in local folders, behind one protocol.

Errors of AWS and of the operating system are translated into those of `coinfarm.errors` here.
"""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from coinfarm.errors import Forbidden, StorageError
from coinfarm.storage.folder import FolderStorage
from coinfarm.storage.protocol import Blob, Storage, checked_key

__all__ = ["Blob", "Storage", "local_folder", "open_folder_of", "open_inside", "open_storage", "resolve"]

_S3 = "s3://"
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{2,254}|arn:.+")
_TYPO = re.compile(r"(s3[a-z]?|file|https?|gs|az):", re.IGNORECASE)


def open_storage(root: str) -> Storage:
    """The storage at `s3://bucket/prefix`, `file:///folder` or a folder's path. Makes no request.

    Raises `StorageError` for any other root.
    """
    if not root.startswith(_S3):
        return FolderStorage(_local_path(root))
    from coinfarm.storage.s3 import S3Storage  # boto3 is slow to load, and local folders do not need it

    bucket, _, prefix = root.removeprefix(_S3).partition("/")
    if not _BUCKET.fullmatch(bucket):
        what = f"{bucket!r} cannot be the name of a bucket" if bucket else "has no bucket name"
        raise StorageError(f"{root}: {what}: write s3://bucket/prefix")
    return S3Storage(bucket, prefix.strip("/"))


def open_folder_of(uri: str) -> tuple[Storage, str]:
    """The storage of the folder that has the file at `uri`, and the file's name, its key there. Raises as `open_storage`."""
    folder, slash, name = uri.rpartition("/")
    return open_storage(folder + slash or "."), name


def local_folder(root: str) -> Path | None:
    """The path of a local root; None for one in S3. Raises `StorageError` for any other."""
    return None if root.startswith(_S3) else _local_path(root)


def resolve(uri: str, root: str) -> tuple[Storage, str]:
    """The storage at `root`, and the key in it of `uri`, which is relative to the root or absolute and inside it.

    Raises `Forbidden` for any other URI, so that an untrusted message cannot cause reads or writes outside the root.
    """
    storage = open_storage(root)
    if not _is_absolute(uri):
        return storage, checked_key(uri)
    prefix = storage.uri().rstrip("/") + "/"
    absolute = _normalised(uri)
    if not absolute.startswith(prefix):
        raise Forbidden(f"{uri} is outside {root}: use a URI inside it")
    return storage, checked_key(absolute.removeprefix(prefix))


def open_inside(uri: str, root: str) -> Storage:
    """The storage at `uri`, which is `root` itself or a folder inside it. Raises `Forbidden` for any other URI."""
    at_root = open_storage(root)
    if _is_absolute(uri) and _normalised(uri).rstrip("/") == at_root.uri().rstrip("/"):
        return at_root
    storage, key = resolve(uri.removesuffix("/"), root)
    return storage.subfolder(key)


def _is_absolute(uri: str) -> bool:
    return uri.startswith("/") or "://" in uri


def _normalised(uri: str) -> str:
    """An absolute URI in the form of `Storage.uri`. Raises `Forbidden` for a malformed one, which is not inside any root."""
    try:
        return uri if uri.startswith(_S3) else str(_local_path(uri))
    except StorageError as error:
        raise Forbidden(str(error)) from None


def _local_path(root: str) -> Path:
    if "://" not in root:
        if _TYPO.match(root):  # a folder of that name would be created, and the bucket stay empty
            raise StorageError(f"{root} looks like a misspelt URI: write s3://bucket/prefix, or ./{root} for a folder of that name")
        return Path(root)
    try:
        parts = urlsplit(root)
    except ValueError as error:
        raise StorageError(f"{root} is not a URI: {error}") from None
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        raise StorageError(f"{root} must be an s3:// URI, a folder or a file:// URI of this machine")
    return Path(unquote(parts.path))
