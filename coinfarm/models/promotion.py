"""Promotion: put a version in service if its files are intact, its compiled forms match Keras and its score is no worse."""

from collections.abc import Iterator

from coinfarm.errors import CoinfarmError, Conflict, ModelError
from coinfarm.models.compiled_form import MAX_RMS_DIFFERENCE_SHARE, MIN_CORRELATION
from coinfarm.models.evaluation_document import EvaluationRecord
from coinfarm.models.evaluations import SCORE_TOLERANCE, read_evaluations
from coinfarm.models.manifest import Manifest
from coinfarm.models.pointer import POINTER_KEY, ForcedPromotion, Pointer, move_pointer, read_pointer_state
from coinfarm.models.store import ModelStore
from coinfarm.models.version import bundle_key
from coinfarm.storage import Storage


class PromotionRejected(CoinfarmError):
    """A version that is intact, but not good enough to be put in service."""


def promote(storage: Storage, version: str, *, expected: str | None = None, note: str = "", force_reason: str | None = None) -> Pointer:
    """Put `version` in service, if it passes the checks. A damaged pointer is replaced.

    Every file must match its digest; a compiled form must be as close to Keras as `Parity.is_close` requires; and if the version in
    service has evaluations, this one needs one over the same dates, stride, candles, horizon and frames, and no such score may be lower by
    more than `SCORE_TOLERANCE`. `force_reason` overrides the last two checks; it is stored in the pointer with the checks that failed.

    Raises `NotFound` if the version is not published, `ModelError` if it is damaged or needs frames of another geometry,
    `PromotionRejected` if it is not good enough, and `Conflict` if another version than `expected` is in service, or if another
    process moves the pointer at the same time: then nothing is changed.
    """
    state = read_pointer_state(storage)
    if expected is not None and state.version != expected:
        where, current = storage.uri(POINTER_KEY), state.version or "no version"
        raise Conflict(f"{where}: {current} is in service, not {expected}; check what changed, then promote again")
    manifest = ModelStore(storage).manifest(version)
    manifest.check_geometry()
    damaged = next(ModelStore(storage).damaged_files(manifest), None)
    if damaged is not None:
        raise ModelError(
            f"{storage.uri(bundle_key(version, damaged))} is missing, or is not the file that its manifest describes: publish the same "
            "bundle again, which replaces it"
        )
    failed = (*_failed_parity(manifest), *_failed_comparisons(storage, manifest, state.version))
    if failed and not force_reason:
        raise PromotionRejected(f"{version} is not promoted: {'; '.join(failed)}; to override this, use --force --reason TEXT")
    forced = ForcedPromotion(reason=force_reason, failed_checks=failed) if force_reason else None
    return move_pointer(storage, version, state, note=note, forced=forced)


def _failed_parity(manifest: Manifest) -> Iterator[str]:
    for form in manifest.engines.forms:
        for name, parity in form.parity.items():
            if not parity.is_close:
                yield (
                    f"its compiled form {form.name} differs from Keras: {name} has correlation {parity.correlation:.5f} (at least "
                    f"{MIN_CORRELATION}) and rms difference {100 * parity.rms_difference_share:.2f} % (at most "
                    f"{100 * MAX_RMS_DIFFERENCE_SHARE:g} %): publish it under another root, compiled again or with --no-compile"
                )


def _failed_comparisons(storage: Storage, manifest: Manifest, current: str | None) -> Iterator[str]:
    """Why a version cannot be shown to be as good as `current`."""
    version = manifest.version
    if current is None or current == version:
        return
    current_records = {record.conditions: record for record in read_evaluations(storage, current)}
    if not current_records:
        return
    candidate_records = {record.conditions: record for record in read_evaluations(storage, version)}
    pairs = [
        (candidate_records[conditions], current_records[conditions])
        for conditions in sorted(candidate_records.keys() & current_records.keys())
    ]
    comparable = [(new, old) for new, old in pairs if new.frames == old.frames]
    if not pairs:
        latest = max(current_records.values(), key=lambda record: (record.to_date, record.from_date, record.frames))
        command = (
            f"coinfarm evaluate --model {storage.uri()} --version {version} --candles FILE... --from {latest.from_date} "
            f"--to {latest.to_date} --stride {latest.stride} --record --horizon {latest.horizon_candles or manifest.horizon_candles}"
        )
        if latest.horizon_candles not in (None, *manifest.horizons):
            yield (
                f"it predicts the next {' or '.join(map(str, manifest.horizons))} candles, and {current}, the version in service, "
                f"{latest.horizon_candles}: scores of different horizons cannot be compared"
            )
            return
        yield f"it has no evaluation on {_described(latest)}, but {current}, the version in service, has one: run {command}"
    elif not comparable:
        new, old = pairs[-1]
        yield (
            f"on {_described(new)} it was evaluated on {new.frames:,} frames, and {current}, the version in service, on "
            f"{old.frames:,}, because they were trained on different days: evaluate both on days that neither was trained on, and record "
            "both evaluations"
        )
    for new, old in comparable:
        if new.score < old.score - SCORE_TOLERANCE:
            yield (
                f"it scores {new.score:.4f} on {_described(new)}, below the {old.score:.4f} of {current}, the version in service: "
                "promote a version that scores at least as well"
            )


def _described(record: EvaluationRecord) -> str:
    return f"{', '.join(sorted(record.candles))} from {record.from_date} up to {record.to_date} with stride {record.stride}"
