"""Putting a new version under a model root. It serves only once it is promoted (`coinfarm.models.pointer`)."""

from coinfarm.errors import Conflict
from coinfarm.models.bundle import Bundle
from coinfarm.models.manifest import MAX_MANIFEST_BYTES, MAX_MODEL_BYTES, Manifest, bundle_key
from coinfarm.storage import Storage


def publish(storage: Storage, bundle: Bundle) -> str:
    """Upload a sealed bundle, and return its version. To publish the same again changes nothing; a version never changes.

    The manifest comes last: what was interrupted is no version yet, and can be published again.
    Raises `Conflict` if other content lies under the same version, and `ModelError` for a bundle that is damaged.
    """
    checked = Bundle.open(bundle.folder)
    manifest = checked.manifest
    for name in manifest.files:
        _write_once(storage, bundle_key(manifest.version, name), (checked.folder / name).read_bytes())
    key = bundle_key(manifest.version)
    try:
        storage.write(key, manifest.to_json(), content_type="application/json", create_only=True)
    except Conflict:
        there = Manifest.parse(storage.read(key, MAX_MANIFEST_BYTES).data, storage.uri(key))
        if there.model_copy(update={"created_at": manifest.created_at}) != manifest:
            raise _taken(storage.uri(key)) from None
    return manifest.version


def _write_once(storage: Storage, key: str, data: bytes) -> None:
    try:
        storage.write(key, data, create_only=True)
    except Conflict:
        if storage.read(key, MAX_MODEL_BYTES).data != data:
            raise _taken(storage.uri(key)) from None


def _taken(where: str) -> Conflict:
    return Conflict(f"{where} holds something else, and what is published never changes: publish this under another model root")
