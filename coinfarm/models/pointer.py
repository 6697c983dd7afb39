"""The pointer: which version of a model serves, how that is changed, and what served before."""

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
    """Why a version serves that was not good enough to be promoted, and what was held against it."""

    reason: Annotated[str, Field(min_length=1, max_length=1000)]
    overruled: tuple[str, ...]


class Pointer(Document):
    """`current.json`. The pointers before it lie beside it as `history/NAME.json`; a rollback restores the one named `previous`."""

    error: ClassVar[type[CoinfarmError]] = ModelError

    version: Version
    previous: Annotated[str, Field(pattern=r"^[0-9TZ]+-[0-9a-f]{8}$")] | None = None
    note: Annotated[str, Field(max_length=1000)] = ""
    forced: ForcedPromotion | None = None
    promoted_at: AwareDatetime = datetime(1970, 1, 1, tzinfo=UTC)
    """The default is that of a pointer written by hand."""


def read_pointer(storage: Storage, etag: str | None = None) -> tuple[Pointer, str] | None:
    """The pointer and its etag, or None while it is still that of `etag`.

    Raises `NotFound` where nothing was promoted yet, and `ModelError` if the pointer is damaged.
    """
    blob = storage.read_if_changed(POINTER_KEY, etag, MAX_POINTER_BYTES)
    return None if blob is None else (Pointer.parse(blob.data, storage.uri(POINTER_KEY)), blob.etag)


class PointerState(NamedTuple):
    """How things stood when somebody looked: the pointer, None if there is none or it is damaged, and the etag of what lies there."""

    pointer: Pointer | None
    etag: str | None

    @property
    def version(self) -> str | None:
        """The version that served."""
        return None if self.pointer is None else self.pointer.version


def look(storage: Storage) -> PointerState:
    """How things stand. Raises `StorageError` where that cannot be seen."""
    if not storage.exists(POINTER_KEY):
        return PointerState(None, None)
    blob = storage.read(POINTER_KEY)  # however large: it is about to be replaced
    try:
        return PointerState(Pointer.parse(blob.data, storage.uri(POINTER_KEY)), blob.etag)
    except ModelError:
        return PointerState(None, blob.etag)


def move_pointer(
    storage: Storage, version: str, standing: PointerState, *, note: str = "", forced: ForcedPromotion | None = None
) -> Pointer:
    """Let `version` serve: every server takes it up at its next refresh. Whether it is fit to is what `coinfarm.models.promotion` asks.

    Raises `NotFound` for a version that was not published, and `Conflict` if things no longer stand as they did when `look` was called:
    the loser of a race changes nothing.
    """
    _check_published(storage, version)
    before = standing.pointer
    archived = None if before is None else _archive(storage, before)
    previous = before.previous if before is not None and before.version == version else archived
    moved = Pointer(version=version, previous=previous, note=note, forced=forced, promoted_at=datetime.now(UTC))
    return _move(storage, standing.etag, moved)


def rollback(storage: Storage, *, note: str = "") -> Pointer:
    """Let that version serve again which did before; done once more, the one before that.

    Raises `NotFound` where there is none, and `Conflict` as `move_pointer` does.
    """
    current, etag = look(storage)
    if current is None or current.previous is None:
        raise NotFound(f"{storage.uri(POINTER_KEY)} has no version before the present one to go back to: promote the one that you want")
    key = _history_key(current.previous)
    before = Pointer.parse(storage.read(key, MAX_POINTER_BYTES).data, storage.uri(key))
    _check_published(storage, before.version)
    _archive(storage, current)
    return _move(storage, etag, before.model_copy(update={"note": note, "forced": None, "promoted_at": datetime.now(UTC)}))


def history(storage: Storage) -> list[Pointer]:
    """Every pointer that there was, the one of now first. Raises `ModelError` if one is damaged."""
    before = [Pointer.parse(storage.read(key, MAX_POINTER_BYTES).data, storage.uri(key)) for key in storage.list("history/")]
    now = look(storage).pointer
    pointers = before if now is None or now in before else [*before, now]  # a move that lost its race has kept the one of now
    return sorted(pointers, key=lambda pointer: pointer.promoted_at, reverse=True)


def _check_published(storage: Storage, version: str) -> None:
    key = bundle_key(version)
    Manifest.parse(storage.read(key, MAX_MANIFEST_BYTES).data, storage.uri(key))


def _archive(storage: Storage, pointer: Pointer) -> str:
    """Keep a pointer that is about to be replaced; before, not after, so that no crash can lose it."""
    data = pointer.to_json()
    name = f"{pointer.promoted_at:%Y%m%dT%H%M%SZ}-{hashlib.sha256(data).hexdigest()[:8]}"
    key = _history_key(name)
    if not storage.exists(key):
        storage.write(key, data, content_type="application/json")
    return name


def _history_key(name: str) -> str:
    return f"history/{name}.json"


def _move(storage: Storage, etag: str | None, pointer: Pointer) -> Pointer:
    data = pointer.to_json()
    try:
        storage.write(POINTER_KEY, data, content_type="application/json", if_match=etag, create_only=etag is None)
    except Conflict:
        # S3 says so too where our first attempt succeeded, its answer was lost, and boto3 tried again
        if storage.read(POINTER_KEY).data != data:
            where = storage.uri(POINTER_KEY)
            raise Conflict(f"{where}: somebody else moved the pointer at the same time; look at what serves now") from None
    return pointer
