"""The pointer: the version of a model that is in service, and those that were in service before."""

import hashlib
from datetime import UTC, datetime
from typing import Annotated, ClassVar, NamedTuple

from pydantic import AwareDatetime, Field

from coinfarm.documents import Document
from coinfarm.errors import CoinfarmError, Conflict, ModelError, NotFound
from coinfarm.models.manifest import MAX_MANIFEST_BYTES, Manifest
from coinfarm.models.version import Version, bundle_key
from coinfarm.storage import Storage

POINTER_KEY = "current.json"
MAX_POINTER_BYTES = 64_000


class ForcedPromotion(Document):
    """Why a version was promoted although it failed checks, and which."""

    reason: Annotated[str, Field(min_length=1, max_length=1000)]
    failed_checks: Annotated[tuple[str, ...], Field(validation_alias="overruled", serialization_alias="overruled")]


class Pointer(Document):
    """`current.json`. Earlier pointers are stored as `history/NAME.json`; a rollback restores the one named `previous`."""

    error: ClassVar[type[CoinfarmError]] = ModelError

    version: Version
    previous: Annotated[str, Field(pattern=r"^[0-9TZ]+-[0-9a-f]{8}$")] | None = None
    note: Annotated[str, Field(max_length=1000)] = ""
    forced: ForcedPromotion | None = None
    promoted_at: AwareDatetime = datetime(1970, 1, 1, tzinfo=UTC)
    """The default applies to a pointer written by hand."""


def read_pointer(storage: Storage, etag: str | None = None) -> tuple[Pointer, str] | None:
    """The pointer and its etag, or None while the etag is still `etag`.

    Raises `NotFound` if no version was promoted yet, and `ModelError` if the pointer is damaged.
    """
    blob = storage.read_if_changed(POINTER_KEY, etag, MAX_POINTER_BYTES)
    return None if blob is None else (Pointer.parse(blob.data, storage.uri(POINTER_KEY)), blob.etag)


class PointerState(NamedTuple):
    """The pointer, None if it is missing or damaged, and the etag of the stored object, None if there is none."""

    pointer: Pointer | None
    etag: str | None

    @property
    def version(self) -> str | None:
        """The version in service."""
        return None if self.pointer is None else self.pointer.version


def read_pointer_state(storage: Storage) -> PointerState:
    """The current pointer, for a later `move_pointer`. Raises `StorageError` if it cannot be read."""
    if not storage.exists(POINTER_KEY):
        return PointerState(None, None)
    blob = storage.read(POINTER_KEY)  # of any size: it is about to be replaced
    try:
        return PointerState(Pointer.parse(blob.data, storage.uri(POINTER_KEY)), blob.etag)
    except ModelError:
        return PointerState(None, blob.etag)


def move_pointer(storage: Storage, version: str, state: PointerState, *, note: str = "", forced: ForcedPromotion | None = None) -> Pointer:
    """Put `version` in service: servers load it at their next refresh. Does not check it: see `coinfarm.models.promotion`.

    Raises `NotFound` if the version is not published, and `Conflict`, with nothing changed, if the pointer was moved after `state` was
    read.
    """
    _check_published(storage, version)
    before = state.pointer
    archived = None if before is None else _archive(storage, before)
    previous = before.previous if before is not None and before.version == version else archived
    moved = Pointer(version=version, previous=previous, note=note, forced=forced, promoted_at=datetime.now(UTC))
    return _replace(storage, state.etag, moved)


def rollback(storage: Storage, *, note: str = "") -> Pointer:
    """Put the previous version back in service; a second rollback goes one version further back.

    Raises `NotFound` if there is none, and `Conflict` as `move_pointer` does.
    """
    current, etag = read_pointer_state(storage)
    if current is None or current.previous is None:
        raise NotFound(f"{storage.uri(POINTER_KEY)} has no previous version to go back to: promote the version that you want")
    key = _history_key(current.previous)
    before = Pointer.parse(storage.read(key, MAX_POINTER_BYTES).data, storage.uri(key))
    _check_published(storage, before.version)
    _archive(storage, current)
    return _replace(storage, etag, before.model_copy(update={"note": note, "forced": None, "promoted_at": datetime.now(UTC)}))


def undo_rollback(storage: Storage, *, note: str = "") -> Pointer:
    """Put the version back in service that the last rollback replaced: the latest that was promoted on top of the current one.

    Raises `NotFound` if there is none, and `Conflict` as `move_pointer` does.
    """
    state = read_pointer_state(storage)
    if state.pointer is not None:
        archived = {_history_name(pointer): pointer for pointer in promotions(storage)}
        on_top = [each for each in archived.values() if each.previous in archived and archived[each.previous].version == state.version]
        if on_top:
            rolled_back = max(on_top, key=lambda pointer: pointer.promoted_at)
            return move_pointer(storage, rolled_back.version, state, note=note)
    raise NotFound(f"{storage.uri(POINTER_KEY)}: no version was rolled back: promote the version that you want")


def promotions(storage: Storage) -> list[Pointer]:
    """All pointers, the current one first. Raises `ModelError` if one is damaged."""
    before = [Pointer.parse(storage.read(key, MAX_POINTER_BYTES).data, storage.uri(key)) for key in storage.list("history/")]
    now = read_pointer_state(storage).pointer
    # A promotion that lost a race has archived the current pointer too.
    pointers = before if now is None or now in before else [*before, now]
    return sorted(pointers, key=lambda pointer: pointer.promoted_at, reverse=True)


def _check_published(storage: Storage, version: str) -> None:
    key = bundle_key(version)
    Manifest.parse(storage.read(key, MAX_MANIFEST_BYTES).data, storage.uri(key))


def _archive(storage: Storage, pointer: Pointer) -> str:
    """Store a pointer in the history before it is replaced, so that a crash cannot lose it; returns its name there."""
    name = _history_name(pointer)
    key = _history_key(name)
    if not storage.exists(key):
        storage.write(key, pointer.to_json(), content_type="application/json")
    return name


def _history_name(pointer: Pointer) -> str:
    return f"{pointer.promoted_at:%Y%m%dT%H%M%SZ}-{hashlib.sha256(pointer.to_json()).hexdigest()[:8]}"


def _history_key(name: str) -> str:
    return f"history/{name}.json"


def _replace(storage: Storage, etag: str | None, pointer: Pointer) -> Pointer:
    data = pointer.to_json()
    try:
        storage.write(POINTER_KEY, data, content_type="application/json", if_match=etag, create_only=etag is None)
    except Conflict:
        # S3 also reports a conflict if our first attempt succeeded, its response was lost, and boto3 tried again.
        if storage.read(POINTER_KEY).data != data:
            where = storage.uri(POINTER_KEY)
            raise Conflict(f"{where} was moved by another process at the same time; check which version is in service now") from None
    return pointer
