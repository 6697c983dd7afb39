"""Writing to a model root: new versions, their evaluations, and their cards.

A version is in service only once it is promoted (`coinfarm.models.promotion`).
"""

from typing import Any

from coinfarm.errors import Conflict, ModelError, NotFound
from coinfarm.models.bundle import Bundle
from coinfarm.models.card import CARD_FILE, model_card
from coinfarm.models.evaluation_document import EvaluationRecord
from coinfarm.models.evaluations import read_evaluations, store_evaluation
from coinfarm.models.manifest import MAX_MANIFEST_BYTES, MAX_MODEL_BYTES, Manifest
from coinfarm.models.store import ModelStore
from coinfarm.models.version import bundle_key
from coinfarm.storage import Storage

_NOT_COMPARED = frozenset({"created_at", "engines", "files"})
"""What may differ between two manifests of the same model: when it was created, and the result of its compilation."""


def publish(storage: Storage, bundle: Bundle) -> str:
    """Upload a bundle with its card, and return its version.

    A version never changes: if the model is already published, even with other compiled forms, only damaged files are replaced.
    The manifest is written last: an interrupted upload is not a version yet, and can be repeated.
    Raises `Conflict` if the version exists with other content, and `ModelError` for a damaged bundle and as `repair`.
    """
    checked = Bundle.open(bundle.folder)
    manifest = checked.manifest
    published = published_manifest(storage, manifest)
    if published is not None:
        repair(storage, published, checked)
        return manifest.version
    for name in manifest.files:
        _write_once(storage, manifest.version, name, (checked.folder / name).read_bytes())
    try:
        storage.write(bundle_key(manifest.version), manifest.to_json(), content_type="application/json", create_only=True)
    except Conflict:
        published_manifest(storage, manifest)  # written by another process at the same time: raises if it differs
    _write_card(storage, manifest)
    return manifest.version


def record_evaluation(storage: Storage, version: str, document: dict[str, Any]) -> EvaluationRecord:
    """Store an evaluation with a version, and update the card.

    Raises `NotFound` if the version is not published, and as `store_evaluation`.
    """
    manifest = ModelStore(storage).manifest(version)
    record = store_evaluation(storage, version, document)
    _write_card(storage, manifest)
    return record


def repair(storage: Storage, published: Manifest, bundle: Bundle) -> list[str]:
    """Replace the missing and damaged files of a published version by those of an intact bundle, and return their names.

    Raises `ModelError` for files that the bundle does not have, after replacing the others.
    """
    damaged = list(ModelStore(storage).damaged_files(published))
    missing = [name for name in damaged if bundle.manifest.files.get(name) != published.files[name]]
    for name in damaged:
        if name not in missing:
            storage.write(bundle_key(published.version, name), (bundle.folder / name).read_bytes())
    if missing:
        raise ModelError(
            f"{storage.uri(bundle_key(published.version, missing[0]))} is missing, or is not the file that its manifest describes, and "
            "this bundle does not have that file: publish the bundle that was published first, or this one under another model root"
        )
    return damaged


def published_manifest(storage: Storage, manifest: Manifest) -> Manifest | None:
    """The manifest under which the same model is published, perhaps with other compiled forms; None if it is not published.

    Raises `Conflict` if it differs in anything else, naming the fields.
    """
    key = bundle_key(manifest.version)
    try:
        published = Manifest.parse(storage.read(key, MAX_MANIFEST_BYTES).data, storage.uri(key))
    except NotFound:
        return None
    compared = {name: field for name, field in Manifest.model_fields.items() if name not in _NOT_COMPARED}
    differing = [field.alias or name for name, field in compared.items() if getattr(published, name) != getattr(manifest, name)]
    if _source_files(published) != _source_files(manifest):
        differing.append("files")
    if differing:
        raise Conflict(
            f"{storage.uri(key)} is another model: {', '.join(differing)} would differ, and a published version never changes; "
            "publish this one under another model root"
        )
    return published


def _source_files(manifest: Manifest) -> dict[str, object]:
    """The files that were not made by compiling."""
    compiled = manifest.engines.files
    return {name: digest for name, digest in manifest.files.items() if name not in compiled}


def _write_card(storage: Storage, manifest: Manifest) -> None:
    """Replace the card, which only repeats what is stored elsewhere."""
    text = model_card(manifest, read_evaluations(storage, manifest.version))
    storage.write(bundle_key(manifest.version, CARD_FILE), text.encode(), content_type="text/markdown; charset=utf-8")


def _write_once(storage: Storage, version: str, name: str, data: bytes) -> None:
    key = bundle_key(version, name)
    try:
        storage.write(key, data, create_only=True)
    except Conflict:
        if storage.read(key, MAX_MODEL_BYTES).data != data:
            raise Conflict(
                f"{storage.uri(key)} belongs to an incomplete upload with other content: if no other process is publishing this "
                f"version, delete {storage.uri(f'versions/{version}/')} and publish again"
            ) from None
