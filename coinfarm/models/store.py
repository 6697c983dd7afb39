"""Where the versions of a model are stored: a model root, one bundle's folder, or one Keras file."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import NamedTuple, Protocol

from coinfarm.errors import Forbidden, ModelError, NotFound, StorageError, TooLarge, Unavailable
from coinfarm.models.bundle import Bundle, digest_of, keras_file_version
from coinfarm.models.manifest import MAX_MANIFEST_BYTES, MAX_MODEL_BYTES, MODEL_FILE, Manifest
from coinfarm.models.model_file import BUNDLE, KERAS_ARCHIVE, SAVED_MODEL, kind_of, wrong_kind
from coinfarm.models.pointer import POINTER_KEY, read_pointer
from coinfarm.models.version import MANIFEST_FILE, bundle_key, is_version
from coinfarm.storage import Storage, local_folder, open_folder_of, open_storage

_MAX_VERSIONS_NAMED = 5


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


class _StorageSource:
    """A source that is a complete storage: its URI is that of the storage."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    @property
    def uri(self) -> str:
        return self._storage.uri()


class ModelStore(_StorageSource):
    """A model root: `current.json` and `versions/VERSION/…`."""

    def current_if_changed(self, etag: str | None) -> CurrentVersion | None:
        try:
            read = read_pointer(self._storage, etag)
        except NotFound as error:
            raise self._nothing_promoted() or error from None
        return None if read is None else CurrentVersion(read[0].version, read[1])

    def versions(self) -> list[str]:
        """All published versions, oldest day first."""
        keys = [PurePosixPath(key) for key in self._storage.list("versions/")]
        return sorted(key.parts[1] for key in keys if key.name == MANIFEST_FILE and len(key.parts) == 3 and is_version(key.parts[1]))

    def manifest(self, version: str) -> Manifest:
        """Raises `NotFound` for an unknown version, `ModelError` if its manifest is damaged."""
        key = bundle_key(version)
        try:
            data = self._storage.read(key, MAX_MANIFEST_BYTES).data
        except NotFound:
            raise NotFound(f"{self.uri} has no version {version}{self._known_versions()}") from None
        manifest = Manifest.parse(data, self._storage.uri(key))
        if manifest.version != version:
            raise ModelError(
                f"{self._storage.uri(key)} is the manifest of {manifest.version}, not of {version}: restore the published file"
            )
        return manifest

    def fetch(self, version: str, folder: Path) -> Bundle:
        return _fetch(self._storage, partial(bundle_key, version), self.manifest(version), folder)

    def damaged_files(self, manifest: Manifest) -> Iterator[str]:
        """The names of the stored files of a version that are missing or do not match their digest. Downloads each file."""
        with TemporaryDirectory() as folder:
            path = Path(folder, "file")
            for name, expected in manifest.files.items():
                try:
                    self._storage.download(bundle_key(manifest.version, name), path, max_bytes=expected.bytes)
                    intact = digest_of(path) == expected
                except (NotFound, TooLarge):
                    intact = False
                path.unlink(missing_ok=True)
                if not intact:
                    yield name

    def _nothing_promoted(self) -> NotFound | None:
        """The error for a root without a pointer; None if the storage cannot say more than that."""
        with suppress(StorageError):
            if versions := self.versions():
                return NotFound(
                    f"nothing is promoted yet in {self.uri}: `coinfarm model promote {self.uri} {versions[-1]}` puts a version in service"
                    f"{self._known_versions()}"
                )
            if self._storage.exists(MANIFEST_FILE):
                return NotFound(f"{self.uri} is one model bundle, not a model root: pass {self._storage.uri(MODEL_FILE)}, or publish it")
            return NotFound(f"{self.uri} has no model versions: `coinfarm model publish SOURCE --to {self.uri} --promote` publishes one")
        return None

    def _known_versions(self) -> str:
        """The latest versions, for an error message."""
        with suppress(StorageError):
            versions = self.versions()
            if versions:
                older = len(versions) - _MAX_VERSIONS_NAMED
                more = f", and {older} older ones" if older > 0 else ""
                return f"; it has {', '.join(versions[: -_MAX_VERSIONS_NAMED - 1 : -1])}{more}"
        return ""


class BundleFolder(_StorageSource):
    """The folder of one bundle, as `coinfarm train` writes it: its only version is in service."""

    def current_if_changed(self, etag: str | None) -> CurrentVersion | None:
        blob = self._storage.read_if_changed(MANIFEST_FILE, etag, MAX_MANIFEST_BYTES)
        return None if blob is None else CurrentVersion(self._parsed(blob.data).version, blob.etag)

    def manifest(self, version: str) -> Manifest:
        manifest = self._parsed(self._storage.read(MANIFEST_FILE, MAX_MANIFEST_BYTES).data)
        _check_only_version(self.uri, manifest.version, version)
        return manifest

    def fetch(self, version: str, folder: Path) -> Bundle:
        return _fetch(self._storage, str, self.manifest(version), folder)

    def _parsed(self, data: bytes) -> Manifest:
        return Manifest.parse(data, self._storage.uri(MANIFEST_FILE))


class KerasFile:
    """One Keras file: its etag stands in for the pointer, and its sha256 gives the only version.

    If a manifest beside it describes it, as in the folder that `coinfarm train` makes, it is the bundle in that folder.
    """

    def __init__(self, storage: Storage, key: str) -> None:
        self._storage = storage
        self._key = key
        self._version: str | None = None

    @property
    def uri(self) -> str:
        return self._storage.uri(self._key)

    def current_if_changed(self, etag: str | None) -> CurrentVersion | None:
        if self._is_in_bundle():
            return self._folder.current_if_changed(etag)
        blob = self._storage.read_if_changed(self._key, etag, MAX_MODEL_BYTES)
        if blob is None:
            return None
        self._version = keras_file_version(hashlib.sha256(blob.data).hexdigest())
        return CurrentVersion(self._version, blob.etag)

    def manifest(self, version: str) -> Manifest | None:
        if self._is_in_bundle():
            return self._folder.manifest(version)
        if self._version is not None:
            _check_only_version(self.uri, self._version, version)
        return None

    def fetch(self, version: str, folder: Path) -> Bundle:
        if self._is_in_bundle():
            return self._folder.fetch(version, folder)
        if self._version is None:
            self.current_if_changed(None)
        _check_only_version(self.uri, self._version, version)
        path = folder / MODEL_FILE
        self._storage.download(self._key, path, MAX_MODEL_BYTES)
        bundle = Bundle.from_keras_file(path, name=PurePosixPath(self._key).stem, where=self.uri)
        if bundle.manifest.version != version:
            raise Unavailable(f"{self.uri} was replaced during the download; try again")
        (folder / MANIFEST_FILE).write_bytes(bundle.manifest.to_json())
        return bundle

    @property
    def _folder(self) -> BundleFolder:
        return BundleFolder(self._storage)

    def _is_in_bundle(self) -> bool:
        try:
            data = self._storage.read(MANIFEST_FILE, MAX_MANIFEST_BYTES).data
        except (NotFound, Forbidden):  # S3 answers so for an object that does not exist if the role may not list the bucket
            return False
        manifest = Manifest.parse(data, self._storage.uri(MANIFEST_FILE))
        return any(member.file == self._key for member in manifest.members)


def open_model_source(uri: str) -> ModelSource:
    """The Keras file if `uri` ends in `.keras`, the bundle in a local folder that has a manifest, or else the model root.

    S3 is not accessed yet. Raises `ModelError` for a local file or folder that is another kind of model.
    """
    if uri.endswith(".keras"):
        return KerasFile(*open_folder_of(uri))
    storage = open_storage(uri)
    path = local_folder(uri)
    if path is None or not path.exists():
        return ModelStore(storage)
    kind = kind_of(path)
    if kind == BUNDLE:
        return BundleFolder(storage)
    if kind == KERAS_ARCHIVE:
        return KerasFile(*open_folder_of(str(path)))
    if path.is_file() or kind == SAVED_MODEL:
        raise wrong_kind(uri, kind)
    return ModelStore(storage)


def open_model_root(root: str) -> Storage:
    """The storage of a model root that has at least one version.

    Raises `NotFound` if there is none, even if the folder, bucket or prefix exists: S3 cannot tell an empty prefix from a missing one.
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


def _check_only_version(uri: str, stored: str | None, requested: str) -> None:
    if requested != stored:
        raise NotFound(f"{uri} has only {stored}, not {requested}: publish several versions under a model root")


def _fetch(storage: Storage, key_of: Callable[[str], str], manifest: Manifest, folder: Path) -> Bundle:
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
