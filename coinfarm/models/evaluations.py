"""The stored evaluations of a version, as `versions/VERSION/evaluations/FROM--TO-DIGEST.json` under the model root.

A file there is the output of `coinfarm evaluate --json`, unchanged. Its name is derived from the dates, the stride, the candles and the
horizon, so two versions can be compared where they have a file of the same name.
"""

import json
from typing import Any

from coinfarm.errors import Conflict, ModelError
from coinfarm.models.evaluation_document import EvaluationRecord
from coinfarm.models.version import bundle_key
from coinfarm.storage import Storage

MAX_EVALUATION_BYTES = 10_000_000

_JSON = "application/json"

SCORE_TOLERANCE = 0.001
"""The maximum difference between scores of the same model on two processors, or in two compiled forms."""


def checked_evaluation(version: str, document: dict[str, Any]) -> EvaluationRecord:
    """Validate an evaluation of `version`, or of the Keras file that it was published from (`bare-`, same fingerprint).

    Raises `ModelError` for an evaluation of another model, one that includes in-sample windows, or one that lacks what
    `EvaluationRecord.read` needs.
    """
    record = EvaluationRecord.read(document, "the evaluation")
    if record.model.version.partition("-")[2] != version.partition("-")[2]:
        raise ModelError(f"the evaluation is of {record.model.version}, not of {version}: evaluate {version} instead")
    if record.includes_in_sample:
        raise ModelError("the evaluation includes windows from the training period: evaluate it without --include-in-sample")
    return record


def store_evaluation(storage: Storage, version: str, document: dict[str, Any]) -> EvaluationRecord:
    """Store an evaluation of a published version. If the same is stored already, nothing changes, and that one is returned, unless only the
    new one has the reference for live predictions.

    Raises `ModelError` as `checked_evaluation`, and `Conflict` if other results are stored for the same dates, stride and candles.
    """
    record = checked_evaluation(version, document)
    key = bundle_key(version, f"evaluations/{record.conditions}.json")
    data = json.dumps(document, indent=2, allow_nan=False).encode() + b"\n"
    try:
        storage.write(key, data, content_type=_JSON, create_only=True)
    except Conflict:
        stored = _read(storage, key)
        if stored.frames != record.frames or any(abs(stored.r2[name] - r2) > SCORE_TOLERANCE for name, r2 in record.r2.items()):
            raise Conflict(
                f"{storage.uri(key)} has other results: a score of {stored.score:.4f} over {stored.frames:,} frames, now "
                f"{record.score:.4f} over {record.frames:,}; stored evaluations are never overwritten: if this one is wrong, delete the "
                "file, then record again"
            ) from None
        if stored.live_reference is not None or record.live_reference is None:
            return stored
        storage.write(key, data, content_type=_JSON)
    return record


def read_evaluations(storage: Storage, version: str) -> list[EvaluationRecord]:
    """All stored evaluations of a version, the oldest period first. Raises `ModelError` if one is damaged."""
    return [_read(storage, key) for key in storage.list(bundle_key(version, "evaluations/")) if key.endswith(".json")]


def _read(storage: Storage, key: str) -> EvaluationRecord:
    where = storage.uri(key)
    try:
        document = json.loads(storage.read(key, MAX_EVALUATION_BYTES).data)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{where} is not JSON: {error}") from None
    return EvaluationRecord.read(document, where)
