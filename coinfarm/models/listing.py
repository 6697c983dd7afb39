"""The versions under a model root at a glance."""

from dataclasses import dataclass
from typing import Any

from coinfarm.errors import ModelError, NotFound
from coinfarm.models.evaluations import EvaluationRecord, read_evaluations
from coinfarm.models.manifest import Manifest
from coinfarm.models.pointer import read_pointer
from coinfarm.models.store import ModelStore
from coinfarm.storage import Storage


@dataclass(frozen=True)
class ListedVersion:
    """One version. `manifest` and `evaluation`, the latest, are None where there is none; `fault` says what cannot be read."""

    version: str
    serves: bool
    manifest: Manifest | None = None
    evaluation: EvaluationRecord | None = None
    fault: str | None = None

    @property
    def engines(self) -> tuple[str, ...]:
        """The compiled forms, the fastest first, then Keras, which runs every model."""
        forms = () if self.manifest is None else self.manifest.engines.forms
        return (*(form.name for form in forms), "keras")

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        created_at = None if self.manifest is None else self.manifest.created_at
        judged = self.evaluation
        return {
            "version": self.version,
            "serves": self.serves,
            "createdAt": None if created_at is None else created_at.isoformat(),
            "engines": list(self.engines),
            "evaluation": None
            if judged is None
            else {
                "score": round(judged.score, 5),
                "r2": judged.r2,
                "from": str(judged.from_date),
                "to": str(judged.to_date),
                "stride": judged.stride,
                "symbols": sorted(judged.candles),
                "frames": judged.frames,
            },
            "fault": self.fault,
        }


def listed_versions(storage: Storage) -> list[ListedVersion]:
    """All that were published under a model root, oldest day first; one that is damaged is listed with its fault."""
    try:
        read = read_pointer(storage)
    except (NotFound, ModelError):
        read = None
    serving = read[0].version if read else None
    return [_listed(storage, version, version == serving) for version in ModelStore(storage).versions()]


def _listed(storage: Storage, version: str, serves: bool) -> ListedVersion:
    try:
        manifest = ModelStore(storage).manifest(version)
        judged = read_evaluations(storage, version)
    except ModelError as error:
        return ListedVersion(version, serves, fault=str(error))
    latest = max(judged, key=lambda record: (record.to_date, record.from_date, record.frames), default=None)
    return ListedVersion(version, serves, manifest, latest)
