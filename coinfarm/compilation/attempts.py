"""Tries the compiled forms of a model: converts, quantises, and compares them with Keras."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coinfarm.compilation.column_layer import split_columns
from coinfarm.compilation.converter import convert_model
from coinfarm.compilation.forms import BF16, COLUMN_TABLES_FILE, F32, INT8, INT8_BF16
from coinfarm.compilation.lowering import lower
from coinfarm.compilation.parity import Outputs, parity, passes
from coinfarm.compilation.quantisation import has_layers_to_quantise, quantise, recipes
from coinfarm.compilation.sample import Sample
from coinfarm.engines.engine import Engine
from coinfarm.engines.openvino import openvino_engine
from coinfarm.engines.openvino_import import cause, import_openvino
from coinfarm.engines.processor import processor_flags
from coinfarm.errors import ModelError
from coinfarm.models.bundle import Bundle
from coinfarm.models.compiled_form import CompiledForm, Parity
from image_render.render import as_planes

BATCH_FRAMES = 100
_PROBED_FRAMES = 50


@dataclass(frozen=True)
class Attempt:
    """A form that was tried. `rejection` says why it was rejected; values that were not measured are None."""

    form: CompiledForm
    rejection: str | None = None
    parity: Mapping[str, Parity] | None = None
    frames_per_s: float | None = None


Tried = tuple[Attempt, Engine | None]
"""A form, with its engine if it passed the parity test."""


@dataclass(frozen=True, eq=False)
class _Network:
    """A graph, inputs of it for calibration, the file with the tables of its first layers, and the number of those."""

    graph: Any
    calibration: NDArray[Any]
    tables: str | None = None
    split_layers: int = 0


def try_forms(bundle: Bundle, traced: Any, expected: Outputs, sample: Sample, progress: Callable[[str], None]) -> Iterator[Tried]:
    """Every form of the TensorFlow function `traced`; the files are written to the bundle's folder.

    `expected` are the predictions of Keras for `sample.parity`. A network that cannot be converted, or whose first form does not predict
    the same, has only one attempt: the other forms are made of the first.
    """
    try:
        network = _converted(bundle, traced, sample, progress)
    except ModelError as error:
        yield Attempt(F32, str(error)), None
        return

    def try_form(plain: CompiledForm) -> Tried:
        form = plain.model_copy(update={"tables": network.tables})
        if not form.runs_on(processor_flags()):
            return Attempt(form, "not supported by this processor"), None
        try:
            engine = openvino_engine(bundle, form, BATCH_FRAMES)
            outputs = engine.predict(sample.parity)
        except (ModelError, RuntimeError) as error:  # converted, but not supported by OpenVINO's CPU plugin
            return Attempt(form, f"cannot run: {cause(error)}"), None
        if not np.isfinite(outputs).all():
            return Attempt(form, "predicts numbers that are not finite"), None
        found = parity([output.name for output in bundle.manifest.outputs], expected, outputs)
        return (Attempt(form, parity=found), engine) if passes(found) else (Attempt(form, "differs too much from the model", found), None)

    progress("measuring f32 and bf16")
    weight_bits = 16
    _save(network.graph, bundle.folder / F32.file, weight_bits)
    f32 = try_form(F32)
    if f32[0].parity is not None and f32[1] is None:
        progress("measuring f32 with 32-bit weights")
        weight_bits = 32
        _save(network.graph, bundle.folder / F32.file, weight_bits)
        f32 = try_form(F32)
    yield f32
    if f32[1] is not None:
        yield try_form(BF16)
        yield from _try_int8(bundle, network, weight_bits, try_form, progress)


def _try_int8(
    bundle: Bundle, network: _Network, weight_bits: int, try_form: Callable[[CompiledForm], Tried], progress: Callable[[str], None]
) -> list[Tried]:
    """The 8-bit forms of the first recipe that passes, or else of the last one."""
    attempts: list[Tried] = []
    for float_layers in recipes(network.graph):
        in_graph = float_layers._replace(first=float_layers.first - network.split_layers)
        if not has_layers_to_quantise(network.graph, in_graph):
            break
        sums = ", and for sums of two layers" if float_layers.sums else ""
        progress(f"quantising to 8 bits, except for the first {float_layers.first} and the last {float_layers.last} layers{sums}")
        try:
            quantised = quantise(network.graph, network.calibration, in_graph)
        except ModelError as error:  # the other forms can be used
            return [(Attempt(form, str(error)), None) for form in (INT8, INT8_BF16)]
        _save(quantised, bundle.folder / INT8.file, weight_bits)
        attempts = [try_form(INT8), try_form(INT8_BF16)]
        if all(attempt.parity is None or passes(attempt.parity) for attempt, _ in attempts):
            break
    return attempts


def _converted(bundle: Bundle, traced: Any, sample: Sample, progress: Callable[[str], None]) -> _Network:
    """The network for OpenVINO. Raises `ModelError` if it cannot be converted."""
    try:
        return _first_layers_split(bundle, lower(convert_model(traced)), sample, progress)
    except Exception as error:  # of many types, for layers that OpenVINO does not know
        raise ModelError(f"cannot be converted: {cause(error)}") from error


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


def _save(graph: Any, path: Path, weight_bits: int) -> None:
    """Save a graph. Existing files are unlinked, not overwritten, because an engine may have mapped them into memory."""
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    path.with_suffix(".bin").unlink(missing_ok=True)
    import_openvino().save_model(graph, path, compress_to_fp16=weight_bits == 16)
