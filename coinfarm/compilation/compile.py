"""Adds compiled forms to a Keras bundle: converts, quantises, measures, and keeps the forms that predict like the model itself."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from coinfarm.compilation.attempts import BATCH_FRAMES, Attempt, try_forms
from coinfarm.compilation.converter import import_nncf
from coinfarm.compilation.forms import COLUMN_TABLES_FILE, F32, INT8
from coinfarm.compilation.sample import Sample
from coinfarm.compilation.speed import frames_per_s
from coinfarm.engines.keras import KerasEngine
from coinfarm.engines.openvino_import import import_openvino
from coinfarm.engines.processor import processor_name
from coinfarm.errors import ModelError
from coinfarm.models.bundle import Bundle
from coinfarm.models.compiled_form import CompiledForms, MeasuredForm, MeasurementConditions


@dataclass(frozen=True)
class Compilation:
    """`bundle` has the accepted forms; `attempts` are all forms, fastest first; `conditions` describes the measurement."""

    bundle: Bundle
    attempts: tuple[Attempt, ...]
    conditions: MeasurementConditions


def compile_bundle(source: Bundle, folder: Path, sample: Sample, *, max_bytes: int | None, progress: Callable[[str], None]) -> Compilation:
    """A copy of a bundle in an empty folder, with the compiled forms that pass the parity test.

    The version is unchanged: it is that of the Keras model. With `max_bytes` the slowest forms are left out until the bundle fits.
    A model of which no form can be made, or none passes, has none: Keras serves it. Raises `ModelError` for a model that Keras rejects or
    that predicts NaN, and `CoinfarmError` if NNCF is not installed.
    """
    bundle = _copy_without_forms(source, folder)
    import_nncf()  # fails now if it is missing, not in a minute
    progress("loading the model in Keras")
    keras = KerasEngine(bundle, BATCH_FRAMES)
    expected = keras.predict(sample.parity)
    if not np.isfinite(expected).all():
        frames = int((~np.isfinite(expected)).any(axis=1).sum())
        raise ModelError(
            f"model {bundle.manifest.version} predicts infinity or NaN for {frames:,} of {len(expected):,} frames: train it again"
        )
    tried = list(try_forms(bundle, keras.traced, expected, sample, progress))
    progress("measuring the speed")
    keras_speed, *speeds = frames_per_s([keras, *(engine for _, engine in tried if engine)], sample.parity)
    attempts = _by_speed([attempt for attempt, _ in tried], keras_speed, iter(speeds))
    if max_bytes is not None:
        attempts = list(_limit_size(max_bytes, attempts, bundle))
    conditions = MeasurementConditions(
        processor=processor_name(),
        openvino=import_openvino().get_version(),
        candles=sample.candles,
        calibration_frames=len(sample.calibration),
        parity_frames=len(sample.parity),
        keras_frames_per_s=keras_speed,
    )
    return Compilation(_with_measured_forms(bundle, attempts, conditions), tuple(attempts), conditions)


def _copy_without_forms(source: Bundle, folder: Path) -> Bundle:
    compiled = source.manifest.engines.files
    for name in source.manifest.files.keys() - compiled:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source.folder / name, folder / name)
    return Bundle(source.manifest, folder).with_engines(CompiledForms())


def _by_speed(attempts: list[Attempt], keras_frames_per_s: float, speeds: Iterator[float]) -> list[Attempt]:
    """The attempts, fastest first, without those slower than Keras. `speeds` are those of the attempts that passed, in order."""
    timed = [attempt if attempt.rejection else replace(attempt, frames_per_s=next(speeds)) for attempt in attempts]
    checked = [
        replace(attempt, rejection="slower than Keras")
        if attempt.frames_per_s is not None and attempt.frames_per_s < keras_frames_per_s
        else attempt
        for attempt in timed
    ]
    return sorted(checked, key=lambda attempt: attempt.frames_per_s or 0.0, reverse=True)


def _limit_size(max_bytes: int, attempts: list[Attempt], bundle: Bundle) -> Iterator[Attempt]:
    """The attempts, fastest first; forms whose files do not fit any more are rejected."""
    total = sum(file.bytes for file in bundle.manifest.files.values())
    included: set[str] = set()
    for attempt in attempts:
        if attempt.rejection is None:
            added = set(attempt.form.files) - included
            size = sum((bundle.folder / name).stat().st_size for name in added)
            if total + size > max_bytes:
                yield replace(attempt, rejection=f"the bundle would have {(total + size) / 2**20:.1f} MiB")
                continue
            total += size
            included |= added
        yield attempt


def _with_measured_forms(bundle: Bundle, attempts: list[Attempt], conditions: MeasurementConditions) -> Bundle:
    forms = tuple(
        MeasuredForm(**dict(attempt.form), parity=dict(attempt.parity), frames_per_s=attempt.frames_per_s)
        for attempt in attempts
        if attempt.rejection is None and attempt.parity is not None and attempt.frames_per_s is not None
    )
    compiled = CompiledForms(forms=forms, conditions=conditions)
    for name in {*F32.files, *INT8.files, COLUMN_TABLES_FILE} - compiled.files:
        (bundle.folder / name).unlink(missing_ok=True)
    return bundle.with_engines(compiled)
