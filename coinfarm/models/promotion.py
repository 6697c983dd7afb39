"""Promotion: a version serves once it was found whole, true to its Keras model, and no worse than the one before it."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from coinfarm.errors import CoinfarmError, Conflict, ModelError, NotFound, TooLarge
from coinfarm.models.bundle import digest_of
from coinfarm.models.compiled_form import MAX_RMS_DIFFERENCE_SHARE, MIN_CORRELATION
from coinfarm.models.evaluations import SAME_SCORE, EvaluationRecord, read_evaluations
from coinfarm.models.manifest import Manifest
from coinfarm.models.pointer import POINTER_KEY, ForcedPromotion, Pointer, look, move_pointer
from coinfarm.models.store import ModelStore
from coinfarm.models.version import bundle_key
from coinfarm.storage import Storage


class PromotionRefused(CoinfarmError):
    """A version that is whole, but not good enough to serve."""


def promote(storage: Storage, version: str, *, expected: str | None = None, note: str = "", force_reason: str | None = None) -> Pointer:
    """Let `version` serve, if it is fit to. A damaged pointer is replaced.

    Every file is fetched and compared with its digest; a compiled form must be as close to Keras as `Parity.is_close` asks; and where
    the version that serves has evaluations, this one needs one over the same dates, stride, candles and frames, and no such score may be
    lower by more than `SAME_SCORE`. `force_reason` overrules the last two rules; it is kept in the pointer with what it overruled.

    Raises `NotFound` for a version that was not published, `ModelError` if it is damaged or wants other frames than ours,
    `PromotionRefused` if it is not good enough, and `Conflict` if it is not `expected` that serves, or if somebody else moves the
    pointer at the same time: the loser of a race changes nothing.
    """
    standing = look(storage)
    if expected is not None and standing.version != expected:
        where, serving = storage.uri(POINTER_KEY), standing.version or "nothing"
        raise Conflict(f"{where}: {serving} serves, not {expected}; look at what changed, then promote again")
    manifest = ModelStore(storage).manifest(version)
    _check_files(storage, manifest)
    objections = (*_of_parity(manifest), *_of_evaluations(storage, version, standing.version))
    if objections and not force_reason:
        raise PromotionRefused(f"{version} is not promoted: {'; '.join(objections)}; or overrule this with --force --reason TEXT")
    forced = ForcedPromotion(reason=force_reason, overruled=objections) if force_reason else None
    return move_pointer(storage, version, standing, note=note, forced=forced)


def _check_files(storage: Storage, manifest: Manifest) -> None:
    manifest.check_geometry()
    with TemporaryDirectory() as folder:
        for at, (name, expected) in enumerate(manifest.files.items()):
            key = bundle_key(manifest.version, name)
            path = Path(folder, str(at))
            try:
                storage.download(key, path, max_bytes=expected.bytes)
                intact = digest_of(path) == expected
            except (NotFound, TooLarge):
                intact = False
            if not intact:
                raise ModelError(
                    f"{storage.uri(key)} is missing, or not the file that its manifest describes: put back the file that was published"
                )
            path.unlink()


def _of_parity(manifest: Manifest) -> Iterator[str]:
    for form in manifest.engines.forms:
        for name, parity in form.parity.items():
            if not parity.is_close:
                yield (
                    f"its compiled form {form.name} strays from Keras: {name} has correlation {parity.correlation:.5f} (at least "
                    f"{MIN_CORRELATION}) and rms difference {100 * parity.rms_difference_share:.2f} % (at most "
                    f"{100 * MAX_RMS_DIFFERENCE_SHARE:g} %): publish it under another root, compiled anew or with --no-compile"
                )


def _of_evaluations(storage: Storage, version: str, incumbent: str | None) -> Iterator[str]:
    """What speaks against `version` in the place of `incumbent`."""
    if incumbent is None or incumbent == version:
        return
    theirs = {record.name: record for record in read_evaluations(storage, incumbent)}
    if not theirs:
        return
    ours = {record.name: record for record in read_evaluations(storage, version)}
    pairs = [(ours[name], theirs[name]) for name in sorted(ours.keys() & theirs.keys())]
    comparable = [(our, their) for our, their in pairs if our.frames == their.frames]
    if not pairs:
        latest = max(theirs.values(), key=_latest)
        yield (f"it was not judged as {incumbent} was, which serves, on {_terms(latest)}: {_command(storage, version, latest)}")
    elif not comparable:
        our, their = pairs[-1]
        yield (
            f"of {_terms(our)} it was judged on {our.frames:,} frames, {incumbent}, which serves, on {their.frames:,}, since they did not "
            "learn from the same days: evaluate both on days that neither has seen, and record it"
        )
    for our, their in comparable:
        if our.score < their.score - SAME_SCORE:
            yield (
                f"it scores {our.score:.4f} on {_terms(our)}, worse than the {their.score:.4f} of {incumbent}, which serves: "
                "promote a better one"
            )


def _terms(record: EvaluationRecord) -> str:
    return f"{', '.join(sorted(record.candles))} from {record.from_date} up to {record.to_date} with stride {record.stride}"


def _command(storage: Storage, version: str, record: EvaluationRecord) -> str:
    return (
        f"run coinfarm evaluate --model {storage.uri()} --version {version} --candles FILE... --from {record.from_date} "
        f"--to {record.to_date} --stride {record.stride} --record"
    )


def _latest(record: EvaluationRecord) -> tuple[date, date, int]:
    return record.to_date, record.from_date, record.frames
