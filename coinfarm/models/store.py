"""Where the versions of a model are stored: a model root, one bundle's folder, or one Keras file."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TypeVar

from coinfarm.errors import Forbidden, ModelError, NotFound, StorageError, TooLarge
from coinfarm.models.bundle import Bundle, digest_of
from coinfarm.models.manifest import MAX_MANIFEST_BYTES, Manifest
from coinfarm.models.model_file import BUNDLE, KERAS_ARCHIVE, SAVED_MODEL, kind_of, wrong_kind
from coinfarm.models.model_source import CurrentVersion, ModelSource, StorageSource, fetch_bundle
from coinfarm.models.pointer import POINTER_KEY, read_pointer
from coinfarm.models.single_version import BundleFolder, KerasFile
from coinfarm.models.version import MANIFEST_FILE, bundle_key, is_version
from coinfarm.storage import Storage, local_folder, open_folder_of, open_storage

_MAX_VERSIONS_NAMED = 5
_Answer = TypeVar("_Answer")


class ModelStore(StorageSource):
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
        return fetch_bundle(self._storage, partial(bundle_key, version), self.manifest(version), folder)

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


class RootOrBundle(StorageSource):
    """A model root or one bundle's folder, in S3, where only a request can tell: a root until it lacks something and has a manifest."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage)
        self._source: ModelSource = ModelStore(storage)

    def current_if_changed(self, etag: str | None) -> CurrentVersion | None:
        return self._ask(lambda source: source.current_if_changed(etag))

    def manifest(self, version: str) -> Manifest | None:
        return self._ask(lambda source: source.manifest(version))

    def fetch(self, version: str, folder: Path) -> Bundle:
        return self._ask(lambda source: source.fetch(version, folder))

    def _ask(self, question: Callable[[ModelSource], _Answer]) -> _Answer:
        try:
            return question(self._source)
        except (NotFound, Forbidden):  # S3 answers so for an object that does not exist if the role may not list the bucket
            if isinstance(self._source, BundleFolder) or not self._has_manifest():
                raise
        self._source = BundleFolder(self._storage)
        return question(self._source)

    def _has_manifest(self) -> bool:
        try:
            return self._storage.exists(MANIFEST_FILE) and not self._storage.exists(POINTER_KEY)
        except StorageError:
            return False


def open_model_source(uri: str) -> ModelSource:
    """The Keras file if `uri` ends in `.keras`, the bundle in a folder that has a manifest, or else the model root.

    S3 is not accessed yet. Raises `ModelError` for a local file or folder that is another kind of model.
    """
    if uri.endswith(".keras"):
        return KerasFile(*open_folder_of(uri))
    storage = open_storage(uri)
    path = local_folder(uri)
    if path is None:
        return RootOrBundle(storage)
    if not path.exists():
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
