"""Adds compiled forms to a Keras bundle: converts, quantises, measures, and keeps the forms that predict like the model itself."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coinfarm.compilation.column_layer import split_columns
from coinfarm.compilation.converter import convert_model, import_nncf
from coinfarm.compilation.forms import BF16, COLUMN_TABLES_FILE, F32, INT8, INT8_BF16
from coinfarm.compilation.lowering import lower
from coinfarm.compilation.parity import Outputs, parity, passes
from coinfarm.compilation.quantisation import has_layers_to_quantise, quantise, recipes
from coinfarm.compilation.sample import Sample
from coinfarm.compilation.speed import frames_per_s
from coinfarm.engines.engine import Engine
from coinfarm.engines.keras import KerasEngine
from coinfarm.engines.openvino import openvino_engine
from coinfarm.engines.openvino_import import import_openvino
from coinfarm.engines.processor import processor_flags, processor_name
from coinfarm.errors import CoinfarmError, ModelError
from coinfarm.models.bundle import Bundle
from coinfarm.models.compiled_form import CompiledForm, CompiledForms, MeasuredForm, MeasurementConditions, Parity
from image_render.render import as_planes

_KERAS_BATCH = 100
_PROBED_FRAMES = 50


@dataclass(frozen=True)
class Attempt:
    """A form that was tried. `rejection` says why it was rejected; values that were not measured are None."""

    form: CompiledForm
    rejection: str | None = None
    parity: Mapping[str, Parity] | None = None
    frames_per_s: float | None = None


@dataclass(frozen=True)
class Compilation:
    """`bundle` has the accepted forms; `attempts` are all forms, fastest first; `conditions` describes the measurement."""

    bundle: Bundle
    attempts: tuple[Attempt, ...]
    conditions: MeasurementConditions


def compile_bundle(source: Bundle, folder: Path, sample: Sample, *, max_bytes: int | None, progress: Callable[[str], None]) -> Compilation:
    """A copy of a bundle in an empty folder, with the compiled forms that pass the parity test.

    The version is unchanged: it is that of the Keras model. With `max_bytes` the slowest forms are left out until the bundle fits.
    Raises `ModelError` for a model that Keras, OpenVINO or NNCF rejects, `CoinfarmError` if NNCF is not installed.
    """
    bundle = _copy_without_forms(source, folder)
    import_nncf()  # fails now if it is missing, not in a minute
    progress("loading the model in Keras")
    keras = KerasEngine(bundle, _KERAS_BATCH)
    expected = keras.predict(sample.parity)
    try:
        tried = list(_try_forms(bundle, keras.traced, expected, sample, progress))
    except CoinfarmError:
        raise
    except Exception as error:  # the converter and the quantiser raise many types of errors for unsupported layers
        reason = f"model {bundle.manifest.version} cannot be compiled: {error}; publish it with --no-compile to serve it with Keras"
        raise ModelError(reason) from error
    progress("measuring the speed")
    keras_speed, *speeds = frames_per_s([keras, *(engine for _, engine in tried if engine)], sample.parity)
    attempts = _by_speed([attempt for attempt, _ in tried], iter(speeds))
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


def _try_forms(
    bundle: Bundle, traced: Any, expected: Outputs, sample: Sample, progress: Callable[[str], None]
) -> Iterator[tuple[Attempt, Engine | None]]:
    """Every form, with its engine if it passes the parity test."""
    network = _first_layers_split(bundle, lower(convert_model(traced)), sample, progress)

    def try_form(plain: CompiledForm) -> tuple[Attempt, Engine | None]:
        form = plain.model_copy(update={"tables": network.tables})
        if not form.runs_on(processor_flags()):
            return Attempt(form, "not supported by this processor"), None
        engine = openvino_engine(bundle, form, _KERAS_BATCH)
        found = parity([output.name for output in bundle.manifest.outputs], expected, engine.predict(sample.parity))
        return (Attempt(form, parity=found), engine) if passes(found) else (Attempt(form, "differs too much from the model", found), None)

    progress("measuring f32 and bf16")
    _save(network.graph, bundle.folder / F32.file)
    yield try_form(F32)
    yield try_form(BF16)
    int8_attempts: list[tuple[Attempt, Engine | None]] = []
    for float_layers in recipes(network.graph):
        in_graph = float_layers._replace(first=float_layers.first - network.split_layers)
        if not has_layers_to_quantise(network.graph, in_graph):
            break
        sums = ", and for sums of two layers" if float_layers.sums else ""
        progress(f"quantising to 8 bits, except for the first {float_layers.first} and the last {float_layers.last} layers{sums}")
        try:
            quantised = quantise(network.graph, network.calibration, in_graph)
        except ModelError as error:  # the other forms can be used
            int8_attempts = [(Attempt(form, str(error)), None) for form in (INT8, INT8_BF16)]
            break
        _save(quantised, bundle.folder / INT8.file)
        int8_attempts = [try_form(INT8), try_form(INT8_BF16)]
        if all(attempt.parity is None or passes(attempt.parity) for attempt, _ in int8_attempts):
            break
    yield from int8_attempts


@dataclass(frozen=True, eq=False)
class _Network:
    """A graph, inputs of it for calibration, the file with the tables of its first layers, and the number of those."""

    graph: Any
    calibration: NDArray[Any]
    tables: str | None = None
    split_layers: int = 0


def _first_layers_split(bundle: Bundle, graph: Any, sample: Sample, progress: Callable[[str], None]) -> _Network:
    """The network without the first layers that look-ups replace, if there are any; saves their tables."""
    split = split_columns(graph, sample.calibration[:_PROBED_FRAMES])
    if split is None:
        return _Network(graph, np.ascontiguousarray(as_planes(sample.calibration)))
    progress("the first layer is linear in single candles: it becomes look-ups")
    path = bundle.folder / COLUMN_TABLES_FILE
    path.parent.mkdir(exist_ok=True)
    split.tables.save(path)
    return _Network(split.rest, split.tables.multiply(sample.calibration), COLUMN_TABLES_FILE, split.layers)


def _save(graph: Any, path: Path) -> None:
    """Save with 16-bit weights. Existing files are unlinked, not overwritten, because an engine may have mapped them into memory."""
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    path.with_suffix(".bin").unlink(missing_ok=True)
    import_openvino().save_model(graph, path)


def _by_speed(attempts: list[Attempt], speeds: Iterator[float]) -> list[Attempt]:
    """The attempts, fastest first; `speeds` are those of the attempts that were not rejected, in order."""
    timed = [attempt if attempt.rejection else replace(attempt, frames_per_s=next(speeds)) for attempt in attempts]
    return sorted(timed, key=lambda attempt: attempt.frames_per_s or 0.0, reverse=True)


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
