"""Putting a new version under a model root. It serves only once it is promoted (`coinfarm.models.promotion`)."""

from coinfarm.errors import Conflict, NotFound
from coinfarm.models.bundle import Bundle
from coinfarm.models.card import write_card
from coinfarm.models.evaluations import read_evaluations
from coinfarm.models.manifest import MAX_MANIFEST_BYTES, MAX_MODEL_BYTES, Manifest
from coinfarm.models.version import bundle_key
from coinfarm.storage import Storage

_MEASURED = frozenset({"created_at", "engines", "files"})
"""What may differ between two descriptions of one model: when it was sealed, and what its compilation came to."""


def publish(storage: Storage, bundle: Bundle) -> str:
    """Upload a sealed bundle with its card, and return its version.

    A version never changes: if the model lies there already, with whatever compiled forms, nothing is written.
    The manifest comes last: what was interrupted is no version yet, and can be published again.
    Raises `Conflict` if other content lies under the same version, and `ModelError` for a bundle that is damaged.
    """
    checked = Bundle.open(bundle.folder)
    manifest = checked.manifest
    if is_published(storage, manifest):
        return manifest.version
    for name in manifest.files:
        _write_once(storage, manifest.version, name, (checked.folder / name).read_bytes())
    try:
        storage.write(bundle_key(manifest.version), manifest.to_json(), content_type="application/json", create_only=True)
    except Conflict:
        is_published(storage, manifest)  # by somebody else, a moment ago
    write_card(storage, manifest, read_evaluations(storage, manifest.version))
    return manifest.version


def is_published(storage: Storage, manifest: Manifest) -> bool:
    """Whether the model lies there already under its version, perhaps with other compiled forms.

    Raises `Conflict` if another description of it does, naming the fields that differ.
    """
    key = bundle_key(manifest.version)
    try:
        there = Manifest.parse(storage.read(key, MAX_MANIFEST_BYTES).data, storage.uri(key))
    except NotFound:
        return False
    compared = {name: field for name, field in Manifest.model_fields.items() if name not in _MEASURED}
    differing = [field.alias or name for name, field in compared.items() if getattr(there, name) != getattr(manifest, name)]
    if _given_files(there) != _given_files(manifest):
        differing.append("files")
    if differing:
        raise Conflict(
            f"{storage.uri(key)} holds something else, and what is published never changes: {', '.join(differing)} would differ; "
            "publish this under another model root"
        )
    return True


def _given_files(manifest: Manifest) -> dict[str, object]:
    """Those that were not made by compiling."""
    compiled = {name for form in manifest.engines.forms for name in form.files}
    return {name: digest for name, digest in manifest.files.items() if name not in compiled}


def _write_once(storage: Storage, version: str, name: str, data: bytes) -> None:
    key = bundle_key(version, name)
    try:
        storage.write(key, data, create_only=True)
    except Conflict:
        if storage.read(key, MAX_MODEL_BYTES).data != data:
            raise Conflict(
                f"{storage.uri(key)} holds something else, though no version is finished there: somebody publishes it right now, or was "
                f"interrupted; wait, or remove {storage.uri(f'versions/{version}/')}, and publish again"
            ) from None
