"""The list of the versions under a model root."""

from dataclasses import dataclass
from typing import Any

from coinfarm.errors import ModelError, NotFound
from coinfarm.models.evaluation_document import EvaluationRecord
from coinfarm.models.evaluations import read_evaluations
from coinfarm.models.manifest import Manifest
from coinfarm.models.pointer import read_pointer
from coinfarm.models.store import ModelStore
from coinfarm.storage import Storage


@dataclass(frozen=True)
class ListedVersion:
    """One version.

    `evaluation` is the latest of its first horizon, None if there is none; `error` says what cannot be read, and then there is no
    `manifest`.
    """

    version: str
    in_service: bool
    manifest: Manifest | None = None
    evaluation: EvaluationRecord | None = None
    error: str | None = None

    @property
    def engines(self) -> tuple[str, ...]:
        """The compiled forms, the fastest first, then Keras, which runs every model."""
        forms = () if self.manifest is None else self.manifest.engines.forms
        return (*(form.name for form in forms), "keras")

    def to_dict(self) -> dict[str, Any]:
        """The JSON object."""
        created_at = None if self.manifest is None else self.manifest.created_at
        return {
            "version": self.version,
            "serves": self.in_service,
            "createdAt": None if created_at is None else created_at.isoformat(),
            "engines": list(self.engines),
            "evaluation": None if self.evaluation is None else _summary(self.evaluation),
            "fault": self.error,
        }


def listed_versions(storage: Storage) -> list[ListedVersion]:
    """All published versions under a model root, oldest day first; a damaged one is listed with its error."""
    try:
        read = read_pointer(storage)
    except (NotFound, ModelError):
        read = None
    current = read[0].version if read else None
    return [_listed(storage, version, version == current) for version in ModelStore(storage).versions()]


def _listed(storage: Storage, version: str, in_service: bool) -> ListedVersion:
    try:
        manifest = ModelStore(storage).manifest(version)
        evaluations = read_evaluations(storage, version)
    except ModelError as error:
        return ListedVersion(version, in_service, error=str(error))
    of_first_horizon = [each for each in evaluations if each.horizon_candles in (None, manifest.horizon_candles)]
    latest = max(of_first_horizon, key=lambda evaluation: (evaluation.to_date, evaluation.from_date, evaluation.frames), default=None)
    return ListedVersion(version, in_service, manifest, latest)


def _summary(evaluation: EvaluationRecord) -> dict[str, Any]:
    return {
        "score": round(evaluation.score, 5),
        "r2": evaluation.r2,
        "from": str(evaluation.from_date),
        "to": str(evaluation.to_date),
        "stride": evaluation.stride,
        "symbols": sorted(evaluation.candles),
        "frames": evaluation.frames,
    }
