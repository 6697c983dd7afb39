"""From a Keras bundle to one with compiled forms: convert, quantise, measure, and keep what is as good as the model itself."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from coinfarm.compilation.parity import Outputs, parity, passes
from coinfarm.compilation.quantisation import RECIPES, leaves_something, quantised
from coinfarm.compilation.sample import Sample
from coinfarm.engines import Engine
from coinfarm.engines.keras import KerasEngine
from coinfarm.engines.openvino import OpenVinoEngine
from coinfarm.engines.processor import processor_flags, processor_name
from coinfarm.engines.quiet_openvino import convert_model, import_openvino
from coinfarm.models.bundle import Bundle
from coinfarm.models.manifest import CompiledForm, Engines, MeasuredForm, Parity, Trial
from image_render.draw import Frames

_BF16 = ("avx512_bf16", "amx_bf16")
F32 = CompiledForm(name="f32", file="compiled/wide.xml", precision="f32")
BF16 = CompiledForm(name="bf16", file="compiled/wide.xml", precision="bf16", needs=(_BF16,))
# Below AVX2 there is no arithmetic of bytes; where there is no VNNI the weights of 7 bits keep it exact.
INT8 = CompiledForm(name="int8", file="compiled/int8.xml", precision="f32", needs=(("avx2",),))
INT8_BF16 = CompiledForm(name="int8-bf16", file="compiled/int8.xml", precision="bf16", needs=(_BF16,))

_BATCH_FRAMES = 100
_TIMED_FRAMES = 500
_TIMED_ROUNDS = 5

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Attempt:
    """A form that was made; `refusal` says why it is not kept. What was not measured is None."""

    form: CompiledForm
    refusal: str | None = None
    parity: Mapping[str, Parity] | None = None
    frames_per_s: float | None = None
    engine: Engine | None = None


@dataclass(frozen=True)
class Compilation:
    """`bundle` has the forms that were kept; `attempts` are all of them, and `trial` says how they were measured."""

    bundle: Bundle
    attempts: tuple[Attempt, ...]
    trial: Trial


def compile_bundle(source: Bundle, folder: Path, sample: Sample, *, max_bytes: int | None, progress: Progress) -> Compilation:
    """A copy of a bundle in an empty folder, with the compiled forms that keep the parity.

    The version stays: it is that of the Keras model. With `max_bytes` the slowest forms are left out until the bundle is no larger.
    Raises `ModelError` for a model that Keras or OpenVINO refuses, `CoinfarmError` where NNCF is not installed.
    """
    shutil.copytree(source.folder, folder, dirs_exist_ok=True)
    bundle = Bundle(source.manifest, folder)
    progress("loading the model in Keras")
    keras = KerasEngine(bundle, _BATCH_FRAMES)
    expected = keras.predict(sample.parity)
    attempts = list(_attempts(bundle, keras.traced, expected, sample, progress))
    progress("measuring the speed")
    keras_frames_per_s, *speeds = _frames_per_s([keras, *(attempt.engine for attempt in attempts if attempt.engine)], sample.parity)
    timed = iter(speeds)
    attempts = [replace(attempt, frames_per_s=next(timed) if attempt.engine else None, engine=None) for attempt in attempts]
    attempts.sort(key=lambda attempt: attempt.frames_per_s or 0.0, reverse=True)
    if max_bytes is not None:
        attempts = list(_within(max_bytes, attempts, bundle))
    trial = Trial(
        processor=processor_name(),
        openvino=import_openvino().get_version(),
        candles=sample.candles,
        calibration_frames=len(sample.calibration),
        parity_frames=len(sample.parity),
        keras_frames_per_s=keras_frames_per_s,
    )
    return Compilation(_sealed(bundle, attempts, trial), tuple(attempts), trial)


def _attempts(bundle: Bundle, traced: Any, expected: Outputs, sample: Sample, progress: Progress) -> Iterator[Attempt]:
    """Every form, with its parity and, where that does, its engine."""

    def measured(form: CompiledForm) -> Attempt:
        if not form.runs_on(processor_flags()):
            return Attempt(form, "this processor cannot run it, so nothing is known of it")
        engine = OpenVinoEngine(bundle, form)
        found = parity([output.name for output in bundle.manifest.outputs], expected, engine.predict(sample.parity))
        return Attempt(form, parity=found, engine=engine) if passes(found) else Attempt(form, "too far from the model", found)

    graph = convert_model(traced)
    progress("measuring f32 and bf16")
    _save(graph, bundle.folder / F32.file)
    yield measured(F32)
    yield measured(BF16)
    quantised_forms: list[Attempt] = []
    for wide in RECIPES:
        if not leaves_something(graph, wide):
            break
        progress(f"quantising to 8 bits, the first {wide.first} and the last {wide.last} layers left wide")
        _save(quantised(graph, sample.calibration, wide), bundle.folder / INT8.file)
        quantised_forms = [measured(INT8), measured(INT8_BF16)]
        if all(attempt.parity is None or passes(attempt.parity) for attempt in quantised_forms):
            break
    yield from quantised_forms


def _save(graph: Any, path: Path) -> None:
    """With weights of 16 bits. Files that were there are unlinked, not written over: an engine may have mapped them into memory."""
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    path.with_suffix(".bin").unlink(missing_ok=True)
    import_openvino().save_model(graph, path)


def _frames_per_s(engines: list[Engine], frames: Frames) -> list[float]:
    """Of each engine the best of several rounds in turn, so that a busy neighbour spoils none of them alone."""
    frames = frames[:_TIMED_FRAMES]
    best_s = [float("inf")] * len(engines)
    for _ in range(_TIMED_ROUNDS):
        for at, engine in enumerate(engines):
            started = perf_counter()
            for first in range(0, len(frames), _BATCH_FRAMES):
                engine.predict(frames[first : first + _BATCH_FRAMES])
            best_s[at] = min(best_s[at], perf_counter() - started)
    return [round(len(frames) / seconds, 1) for seconds in best_s]


def _within(max_bytes: int, attempts: list[Attempt], bundle: Bundle) -> Iterator[Attempt]:
    """The fastest first; a form whose files no longer fit is refused."""
    total = sum(file.bytes for file in bundle.manifest.files.values())
    taken: set[str] = set()
    for attempt in attempts:
        if attempt.refusal is None and attempt.form.file not in taken:
            size = sum((bundle.folder / name).stat().st_size for name in attempt.form.files)
            if total + size > max_bytes:
                yield replace(attempt, refusal=f"the bundle would have {total + size:,} bytes")
                continue
            total += size
            taken.add(attempt.form.file)
        yield attempt


def _sealed(bundle: Bundle, attempts: list[Attempt], trial: Trial) -> Bundle:
    forms = tuple(
        MeasuredForm(**attempt.form.model_dump(), parity=dict(attempt.parity), frames_per_s=attempt.frames_per_s)
        for attempt in attempts
        if attempt.refusal is None and attempt.parity is not None and attempt.frames_per_s is not None
    )
    kept = {name for form in forms for name in form.files}
    for form in (F32, INT8):
        for name in set(form.files) - kept:
            (bundle.folder / name).unlink(missing_ok=True)
    return bundle.with_engines(Engines(forms=forms, trial=trial))
