"""The speed of every engine in frames per second, without rendering, in batches of 1, 10 and 100."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.pipeline import starter
from benchmarks.plain_keras import predict_with_plain_keras
from benchmarks.timing import best_s
from coinfarm.compilation.converter import convert_model
from coinfarm.compilation.forms import BF16, F32, INT8, INT8_BF16
from coinfarm.compilation.quantisation import FloatLayers, quantise
from coinfarm.engines.engine import Engine
from coinfarm.engines.keras import KerasEngine
from coinfarm.engines.openvino import OpenVinoEngine, openvino_engine
from coinfarm.engines.openvino_import import import_openvino
from coinfarm.engines.processor import processor_flags
from coinfarm.models.bundle import Bundle
from coinfarm.models.manifest import MODEL_FILE
from image_render.render import Frames, as_planes
from image_render.windows import Columns

BATCHES = (1, 10, 100)
_MAX_BATCH = 100
_PLAIN = "plain Keras"


@dataclass(frozen=True)
class Speed:
    """The speed of an engine by batch size, its ratio to plain Keras at a batch of 100, and its worst correlation with Keras."""

    engine: str
    frames_per_s: dict[int, float]
    ratio: float
    worst_correlation: float | None


def untrained_engines(network: Any, folder: Path, calibration: Frames) -> list[Engine]:
    """Every engine for a network with random weights, which gives the speed of each form, but not its accuracy."""
    network.save(folder / MODEL_FILE)
    bundle = Bundle.create(folder, name=network.name)
    keras = KerasEngine(bundle, _MAX_BATCH)
    graph = convert_model(keras.traced)
    for form, compiled in (
        (F32, graph),
        (INT8, quantise(graph, np.ascontiguousarray(as_planes(calibration)), FloatLayers(first=1, last=2))),
    ):
        path = folder / form.file
        path.parent.mkdir(exist_ok=True)
        import_openvino().save_model(compiled, path)
    forms = [form for form in (F32, BF16, INT8, INT8_BF16) if form.runs_on(processor_flags())]
    return [keras, *(OpenVinoEngine(bundle, form) for form in forms)]


def published_engines(bundle: Bundle) -> list[Engine]:
    """Keras, and every published form that this processor supports."""
    forms = [form for form in bundle.manifest.engines.forms if form.runs_on(processor_flags())]
    return [KerasEngine(bundle, _MAX_BATCH), *(openvino_engine(bundle, form, _MAX_BATCH) for form in forms)]


def worst_correlations(bundle: Bundle) -> dict[str, float]:
    """The lowest correlation with Keras of any output, by engine."""
    return {f"openvino-{form.name}": min(each.correlation for each in form.parity.values()) for form in bundle.manifest.engines.forms}


def speeds(network: Any, engines: list[Engine], correlations: dict[str, float], view: Columns) -> list[Speed]:
    """The speed of plain Keras, including rendering, and of every engine. `view` has 100 windows, `(100, 200)`."""
    count = len(view.close)
    calls: dict[tuple[str, int], Callable[[], object]] = {(_PLAIN, count): lambda: predict_with_plain_keras(network, view)}
    calls |= {(engine.name, batch): _prediction(engine, view, batch) for engine in engines for batch in BATCHES}
    by_engine: dict[str, dict[int, float]] = {}
    for (name, batch), seconds in best_s(calls).items():
        by_engine.setdefault(name, {})[batch] = batch / seconds
    plain = by_engine[_PLAIN][count]
    return [Speed(name, by_batch, by_batch[count] / plain, correlations.get(name)) for name, by_batch in by_engine.items()]


def _prediction(engine: Engine, view: Columns, batch: int) -> Callable[[], object]:
    start = starter(engine, Columns(*(column[:batch] for column in view)))
    return lambda: start()()
