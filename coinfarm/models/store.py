"""Where the versions of a model are kept: a model root, or one bare Keras file."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple, Protocol

from coinfarm.errors import ModelError, NotFound, StorageError, TooLarge, Unavailable
from coinfarm.models.bundle import Bundle, keras_file_version
from coinfarm.models.manifest import MAX_MANIFEST_BYTES, MAX_MODEL_BYTES, MODEL_FILE, Manifest
from coinfarm.models.pointer import POINTER_KEY, read_pointer
from coinfarm.models.version import MANIFEST_FILE, bundle_key, is_version
from coinfarm.storage import Storage, local_folder, open_storage

_VERSIONS_NAMED = 5


class CurrentVersion(NamedTuple):
    """Which version serves, and the etag to ask with whether it still does."""

    version: str
    etag: str


class ModelSource(Protocol):
    """What a server asks of the place where a model is kept. Both questions raise `StorageError` where it fails to answer."""

    @property
    def uri(self) -> str:
        """Where that is, as a person would name it."""
        ...

    def current_if_changed(self, etag: str | None) -> CurrentVersion | None:
        """What serves now, or None while it is still what `etag` came with; raises `ModelError` if that cannot be read."""
        ...

    def fetch(self, version: str, folder: Path) -> Bundle:
        """Download a version into an empty folder.

        Raises `NotFound` if there is no such version, and `ModelError` if it is damaged or wants other frames than ours.
        """
        ...


class ModelStore:
    """A model root: `current.json` and `versions/VERSION/…`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    @property
    def uri(self) -> str:
        return self._storage.uri()

    def current_if_changed(self, etag: str | None) -> CurrentVersion | None:
        found = read_pointer(self._storage, etag)
        return None if found is None else CurrentVersion(found[0].version, found[1])

    def versions(self) -> list[str]:
        """All that were published, oldest day first."""
        keys = [PurePosixPath(key) for key in self._storage.list("versions/")]
        return sorted(key.parts[1] for key in keys if key.name == MANIFEST_FILE and len(key.parts) == 3 and is_version(key.parts[1]))

    def manifest(self, version: str) -> Manifest:
        """Raises `NotFound` if there is no such version, `ModelError` if its manifest is damaged."""
        key = bundle_key(version)
        try:
            data = self._storage.read(key, MAX_MANIFEST_BYTES).data
        except NotFound:
            raise NotFound(f"{self.uri} has no version {version}{self._known()}") from None
        manifest = Manifest.parse(data, self._storage.uri(key))
        if manifest.version != version:
            raise ModelError(f"{self._storage.uri(key)} is the manifest of {manifest.version}")
        return manifest

    def fetch(self, version: str, folder: Path) -> Bundle:
        return _fetched(self._storage, partial(bundle_key, version), self.manifest(version), folder)

    def _known(self) -> str:
        """The latest versions, for an error message."""
        with suppress(StorageError):
            versions = self.versions()
            if versions:
                more = f", and {len(versions) - _VERSIONS_NAMED} older ones" if len(versions) > _VERSIONS_NAMED else ""
                return f"; it has {', '.join(versions[: -_VERSIONS_NAMED - 1 : -1])}{more}"
        return ""


class BundleFolder:
    """The folder of one bundle, as `coinfarm train` leaves it: its version serves."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    @property
    def uri(self) -> str:
        return self._storage.uri()

    def current_if_changed(self, etag: str | None) -> CurrentVersion | None:
        blob = self._storage.read_if_changed(MANIFEST_FILE, etag, MAX_MANIFEST_BYTES)
        return None if blob is None else CurrentVersion(self._parsed(blob.data).version, blob.etag)

    def fetch(self, version: str, folder: Path) -> Bundle:
        manifest = self._parsed(self._storage.read(MANIFEST_FILE, MAX_MANIFEST_BYTES).data)
        if manifest.version != version:
            raise NotFound(f"{self.uri} is {manifest.version}, not {version}: publish models under a root to keep versions apart")
        return _fetched(self._storage, str, manifest, folder)

    def _parsed(self, data: bytes) -> Manifest:
        return Manifest.parse(data, self._storage.uri(MANIFEST_FILE))


def _fetched(storage: Storage, key_of: Callable[[str], str], manifest: Manifest, folder: Path) -> Bundle:
    """A copy of a bundle whose files lie in `storage` under the keys that `key_of` gives, in an empty folder."""
    manifest.check_geometry()  # before the download, not after
    (folder / MANIFEST_FILE).write_bytes(manifest.to_json())
    try:
        for name, file in manifest.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            storage.download(key_of(name), folder / name, max_bytes=file.bytes)
    except (NotFound, TooLarge) as error:
        raise ModelError(f"model {manifest.version} is not what its manifest describes: {error}") from error
    return Bundle.open(folder)


class KerasFile:
    """A Keras file alone: its etag takes the place of the pointer, and its sha256 gives the version."""

    def __init__(self, storage: Storage, key: str) -> None:
        self._storage = storage
        self._key = key
        self._version: str | None = None

    @property
    def uri(self) -> str:
        return self._storage.uri(self._key)

    def current_if_changed(self, etag: str | None) -> CurrentVersion | None:
        blob = self._storage.read_if_changed(self._key, etag, MAX_MODEL_BYTES)
        if blob is None:
            return None
        self._version = keras_file_version(hashlib.sha256(blob.data).hexdigest())
        return CurrentVersion(self._version, blob.etag)

    def fetch(self, version: str, folder: Path) -> Bundle:
        if self._version is None:
            self.current_if_changed(None)
        if version != self._version:
            raise NotFound(f"{self.uri} is {self._version}, not {version}: publish models under a root to keep versions apart")
        path = folder / MODEL_FILE
        self._storage.download(self._key, path, MAX_MODEL_BYTES)
        bundle = Bundle.of_keras_file(path, name=PurePosixPath(self._key).stem)
        if bundle.manifest.version != version:
            raise Unavailable(f"{self.uri} was replaced while it was fetched; try again")
        (folder / MANIFEST_FILE).write_bytes(bundle.manifest.to_json())
        return bundle


def open_model_source(uri: str) -> ModelSource:
    """The store at a model root, the one file where `uri` ends in `.keras`, or the one bundle that lies in a folder of this machine.

    Nothing is asked of a place in S3 yet.
    """
    if not uri.endswith(".keras"):
        folder = local_folder(uri)
        is_bundle = folder is not None and (folder / MANIFEST_FILE).is_file()
        return BundleFolder(open_storage(uri)) if is_bundle else ModelStore(open_storage(uri))
    root, slash, key = uri.rpartition("/")
    return KerasFile(open_storage(root + slash or "."), key)


def open_model_root(root: str) -> Storage:
    """The storage of a model root that holds at least one version.

    Raises `NotFound` for a place without any, whether the folder, bucket or prefix exists or not: in S3 there is no difference.
    """
    storage = open_storage(root)
    if storage.exists(POINTER_KEY) or next(iter(storage.list("versions/")), None) is not None:
        return storage
    if root.endswith(".keras"):
        raise NotFound(f"{root} is a Keras file, not a model root: publish it under one with `coinfarm model publish {root} --to ROOT`")
    if storage.exists(MANIFEST_FILE):
        raise NotFound(f"{root} is a model bundle, not a model root: publish it under one with `coinfarm model publish {root} --to ROOT`")
    folder = local_folder(root)
    what = "does not exist" if folder is not None and not folder.exists() else "is not a model root: it has no model versions"
    raise NotFound(f"{root} {what}. Check the path, or publish a model there with `coinfarm model publish SOURCE --to {root}`")
