"""Where a server gets its model from."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

from coinfarm.errors import ModelError, NotFound, TooLarge
from coinfarm.models.bundle import Bundle
from coinfarm.models.manifest import Manifest
from coinfarm.models.version import MANIFEST_FILE
from coinfarm.storage import Storage


class CurrentVersion(NamedTuple):
    """The version in service, and the etag to pass to the next `current_if_changed`."""

    version: str
    etag: str


class ModelSource(Protocol):
    """Where a server gets its model from. Both methods raise `StorageError` if the storage fails."""

    @property
    def uri(self) -> str:
        """The location, as shown to users."""
        ...

    def current_if_changed(self, etag: str | None) -> CurrentVersion | None:
        """The version in service, or None while the etag is still `etag`; raises `ModelError` if what is stored there is damaged."""
        ...

    def manifest(self, version: str) -> Manifest | None:
        """The manifest of a version, without its files; None where there is none. Raises as `fetch`."""
        ...

    def fetch(self, version: str, folder: Path) -> Bundle:
        """Download a version into an empty folder.

        Raises `NotFound` for an unknown version, and `ModelError` if it is damaged or needs frames of another geometry.
        """
        ...


def current_version(source: ModelSource) -> str:
    """The version in service. Raises `ModelError` if what is stored there is damaged, `StorageError` if the storage fails."""
    current = source.current_if_changed(None)
    assert current is not None  # None means unchanged, and no earlier version was given
    return current.version


class StorageSource:
    """A source that is a complete storage: its URI is that of the storage."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    @property
    def uri(self) -> str:
        return self._storage.uri()


def fetch_bundle(storage: Storage, key_of: Callable[[str], str], manifest: Manifest, folder: Path) -> Bundle:
    """Download the files of a bundle, whose keys in `storage` are given by `key_of`, into an empty folder."""
    manifest.check_geometry()  # before the download, not after
    (folder / MANIFEST_FILE).write_bytes(manifest.to_json())
    try:
        for name, file in manifest.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            storage.download(key_of(name), folder / name, max_bytes=file.bytes)
    except (NotFound, TooLarge) as error:
        raise ModelError(f"model {manifest.version} is not what its manifest describes: {error}") from error
    return Bundle.open(folder)
