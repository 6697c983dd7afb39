"""Sources of a single version: one bundle's folder, or one Keras file."""

import hashlib
from pathlib import Path, PurePosixPath

from coinfarm.errors import Forbidden, NotFound, Unavailable
from coinfarm.models.bundle import Bundle, keras_file_version
from coinfarm.models.manifest import MAX_MANIFEST_BYTES, MAX_MODEL_BYTES, MODEL_FILE, Manifest
from coinfarm.models.model_source import CurrentVersion, StorageSource, fetch_bundle
from coinfarm.models.version import MANIFEST_FILE
from coinfarm.storage import Storage


class BundleFolder(StorageSource):
    """The folder of one bundle, as `coinfarm train` writes it: its only version is in service."""

    def current_if_changed(self, etag: str | None) -> CurrentVersion | None:
        blob = self._storage.read_if_changed(MANIFEST_FILE, etag, MAX_MANIFEST_BYTES)
        return None if blob is None else CurrentVersion(self._parsed(blob.data).version, blob.etag)

    def manifest(self, version: str) -> Manifest:
        manifest = self._parsed(self._storage.read(MANIFEST_FILE, MAX_MANIFEST_BYTES).data)
        _check_only_version(self.uri, manifest.version, version)
        return manifest

    def fetch(self, version: str, folder: Path) -> Bundle:
        return fetch_bundle(self._storage, str, self.manifest(version), folder)

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


def _check_only_version(uri: str, stored: str | None, requested: str) -> None:
    if requested != stored:
        raise NotFound(f"{uri} has only {stored}, not {requested}: publish several versions under a model root")
