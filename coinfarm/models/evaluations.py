"""What a version was found to be worth: evaluations kept beside it, as `versions/VERSION/evaluations/FROM--TO-DIGEST.json`.

A file there is what `coinfarm evaluate --json` printed, whole. Its name is made of what was judged on: dates, stride and candles. So two
versions were judged on the same terms where they have a file of the same name.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from coinfarm.documents import FromDate, Sha256, ToDate, translate_validation_errors
from coinfarm.errors import Conflict, ModelError
from coinfarm.models.card import write_card
from coinfarm.models.store import ModelStore
from coinfarm.models.version import Version, bundle_key
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.storage import Storage

MAX_EVALUATION_BYTES = 10_000_000

SAME_SCORE = 0.001
"""How far apart the scores of one and the same model may lie: on two processors, or in two of its forms."""


class _Lenient(BaseModel):
    """A part of a document of which more is kept than is read here."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, validate_by_name=True)


class _Judged(_Lenient):
    version: Version


class _Scores(_Lenient):
    r2: Annotated[float, Field(le=1)]


class _Evaluation(_Lenient):
    """What is read of an evaluation. `candles` is the sha256 of the candles judged on, by symbol."""

    model: _Judged
    from_date: FromDate
    to_date: ToDate
    stride: Annotated[int, Field(ge=1)]
    candles: Annotated[dict[str, Sha256], Field(min_length=1)]
    frames: Annotated[int, Field(ge=1)]
    outputs: dict[str, _Scores]
    includes_in_sample: Annotated[bool, Field(alias="includesInSample")] = False


@dataclass(frozen=True)
class EvaluationRecord:
    """One evaluation of one version: on which terms, with what result, and the `document` that says so.

    `from_date` is in the period, `to_date` is not; `frames` are those that were judged, the ones left out not counted; `r2` is by output.
    """

    version: str
    from_date: date
    to_date: date
    stride: int
    candles: dict[str, str]
    frames: int
    r2: dict[str, float]
    includes_in_sample: bool
    document: dict[str, JsonValue]

    @classmethod
    def of(cls, document: dict[str, Any], where: str) -> "EvaluationRecord":
        """Raises `ModelError` for a document that lacks what versions are compared by, naming `where` and the field.

        Needed are `model.version`, `from` and `to` (dates), `stride`, `candles` (symbol → sha256), `frames`, and `outputs.NAME.r2` of
        each of `OUTPUT_NAMES`; whatever else there is, is kept.
        """
        with translate_validation_errors(where, ModelError):
            read = _Evaluation.model_validate(document)
        if missing := [name for name in OUTPUT_NAMES if name not in read.outputs]:
            raise ModelError(f"{where} is not valid: outputs: {', '.join(missing)} missing")
        return cls(
            version=read.model.version,
            from_date=read.from_date,
            to_date=read.to_date,
            stride=read.stride,
            candles=read.candles,
            frames=read.frames,
            r2={name: read.outputs[name].r2 for name in OUTPUT_NAMES},
            includes_in_sample=read.includes_in_sample,
            document=document,
        )

    @property
    def score(self) -> float:
        """The one number that versions are compared by: the mean of R² over the outputs."""
        return sum(self.r2.values()) / len(self.r2)

    @property
    def name(self) -> str:
        """`FROM--TO-DIGEST`, the same for every version that is judged on the same dates, stride and candles."""
        terms = json.dumps([str(self.from_date), str(self.to_date), self.stride, sorted(self.candles.items())])
        return f"{self.from_date}--{self.to_date}-{hashlib.sha256(terms.encode()).hexdigest()[:8]}"


def checked_evaluation(version: str, document: dict[str, Any]) -> EvaluationRecord:
    """The document read as one of `version`; it may also name the same model as a bare file (`bare-` and the same fingerprint).

    Raises `ModelError` for a document of another model, one over windows that the model has learnt from, or one that lacks what
    `EvaluationRecord.of` needs.
    """
    record = EvaluationRecord.of(document, "the evaluation")
    if record.version.partition("-")[2] != version.partition("-")[2]:
        raise ModelError(f"the evaluation is of {record.version}, not of {version}: evaluate the version that it is recorded for")
    if record.includes_in_sample:
        raise ModelError("the evaluation includes windows that the model has learnt from: evaluate it without --include-in-sample")
    return record


def record_evaluation(storage: Storage, version: str, document: dict[str, Any]) -> EvaluationRecord:
    """Keep an evaluation beside the version under a model root, and on its card. To record the same again changes nothing.

    Raises `NotFound` if the version was not published, `ModelError` as `checked_evaluation`, and `Conflict` if other results are
    recorded for the same dates, stride and candles.
    """
    record = checked_evaluation(version, document)
    manifest = ModelStore(storage).manifest(version)
    key = _key(version, record.name)
    data = json.dumps(document, indent=2, allow_nan=False).encode() + b"\n"
    try:
        storage.write(key, data, content_type="application/json", create_only=True)
    except Conflict:
        there = _read(storage, key)
        if there.frames != record.frames or any(abs(there.r2[name] - r2) > SAME_SCORE for name, r2 in record.r2.items()):
            raise Conflict(
                f"{storage.uri(key)} says otherwise (score {there.score:.4f} over {there.frames:,} frames, now {record.score:.4f} over "
                f"{record.frames:,}): what is recorded stays; remove that file if it is known to be wrong, then record again"
            ) from None
        return there
    write_card(storage, manifest, read_evaluations(storage, version))
    return record


def read_evaluations(storage: Storage, version: str) -> list[EvaluationRecord]:
    """All that are recorded of a version, the oldest period first. Raises `ModelError` if one is damaged."""
    return [_read(storage, key) for key in storage.list(bundle_key(version, "evaluations/")) if key.endswith(".json")]


def _read(storage: Storage, key: str) -> EvaluationRecord:
    where = storage.uri(key)
    try:
        document = json.loads(storage.read(key, MAX_EVALUATION_BYTES).data)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{where} is not JSON: {error}") from None
    return EvaluationRecord.of(document, where)


def _key(version: str, name: str) -> str:
    return bundle_key(version, f"evaluations/{name}.json")
