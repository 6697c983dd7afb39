"""The candidates for the reference network: multiply-adds, frames/s, and scores with the same budget."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

import coinfarm.training
from coinfarm.compilation.column_layer import split_columns
from coinfarm.compilation.converter import convert_model
from coinfarm.compilation.forms import COLUMN_TABLES_FILE, INT8, INT8_BF16
from coinfarm.compilation.lowering import lower
from coinfarm.compilation.quantisation import RECIPES, FloatLayers, quantise
from coinfarm.compilation.speed import frames_per_s
from coinfarm.engines.engine import Engine
from coinfarm.engines.keras import KerasEngine
from coinfarm.engines.openvino import openvino_engine
from coinfarm.engines.openvino_import import import_openvino
from coinfarm.engines.processor import processor_flags
from coinfarm.models.bundle import Bundle
from coinfarm.models.manifest import MODEL_FILE, LayerSummary
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.training.architecture import architecture
from coinfarm.training.comparison import CandidateResult, read_candidate_configs, read_candidate_results
from coinfarm.training.network import build_network
from image_render.render import Frames, as_planes

TRAINING = Path(coinfarm.training.__path__[0])
_BATCH = 100


@dataclass(frozen=True)
class Candidate:
    """A network, its result in `coinfarm compare`, and the speed of its fastest form on this machine: with random weights, whose
    errors in 8 bits say nothing."""

    result: CandidateResult
    layers: tuple[LayerSummary, ...]
    engine: str
    frames_per_s: float


def candidates(frames: Frames) -> list[Candidate]:
    """The networks of the comparison, lowest loss first, measured in turns on `frames` `(N, 200, 150, 3)`."""
    configs = read_candidate_configs(TRAINING / "candidates.toml")
    results = sorted(read_candidate_results(TRAINING / "comparison.json"), key=lambda result: result.loss)
    with tempfile.TemporaryDirectory() as folder:
        networks = [build_network(configs[result.candidate].network, np.zeros(len(OUTPUT_NAMES))) for result in results]
        engines = [_engine(network, Path(folder) / result.candidate, frames) for network, result in zip(networks, results, strict=True)]
        speeds = frames_per_s(engines, frames)
    return [
        Candidate(result, architecture(network), engine.name, speed)
        for result, network, engine, speed in zip(results, networks, engines, speeds, strict=True)
    ]


def _engine(network: Any, folder: Path, frames: Frames) -> Engine:
    """The network in 8 bits, except for the first and the last layer; its first layer is looked up if it sees one candle."""
    form = INT8_BF16 if INT8_BF16.runs_on(processor_flags()) else INT8
    (folder / form.file).parent.mkdir(parents=True)
    network.save(folder / MODEL_FILE)
    bundle = Bundle.create(folder, name=network.name)
    graph, inputs, float_layers = (
        lower(convert_model(KerasEngine(bundle, _BATCH).traced)),
        np.ascontiguousarray(as_planes(frames)),
        RECIPES[0],
    )
    split = split_columns(graph, frames)
    if split is not None:
        split.tables.save(folder / COLUMN_TABLES_FILE)
        form = form.model_copy(update={"tables": COLUMN_TABLES_FILE})
        graph, inputs = split.rest, split.tables.multiply(frames)
        float_layers = FloatLayers(float_layers.first - split.layers, float_layers.last)
    import_openvino().save_model(quantise(graph, inputs, float_layers), folder / form.file)
    return openvino_engine(bundle, form, _BATCH)


def candidates_table(candidates: list[Candidate]) -> Table:
    """The candidates, lowest loss first."""
    table = Table(
        title=f"Networks with a budget of {candidates[0].result.trained_frames:,} frames, validation scores",
        title_justify="left",
    )
    table.add_column("")
    for heading in ("parameters", "multiply-adds", f"frames/s, {candidates[0].engine}", "loss", "R² rise", "R² decline"):
        table.add_column(heading, justify="right")
    for candidate in candidates:
        result = candidate.result
        table.add_row(
            result.candidate,
            f"{result.parameters:,}",
            f"{result.multiply_adds / 1e6:.1f} M",
            f"{candidate.frames_per_s:,.0f}",
            f"{result.loss:.4f}",
            *("–" if result.r2[name] is None else f"{result.r2[name]:.3f}" for name in OUTPUT_NAMES[:2]),
        )
    return table


def layers_table(candidate: Candidate) -> Table:
    """The multiply-adds of a network by layer."""
    total = sum(layer.multiply_adds for layer in candidate.layers)
    table = Table(title=f"Multiply-adds of one frame in {candidate.result.candidate}", title_justify="left")
    table.add_column("layer")
    for heading in ("output", "parameters", "multiply-adds", "share"):
        table.add_column(heading, justify="right")
    for layer in candidate.layers:
        if layer.multiply_adds:
            table.add_row(
                layer.name,
                " × ".join(map(str, layer.output_shape)),
                f"{layer.parameters:,}",
                f"{layer.multiply_adds / 1e6:.2f} M",
                f"{100 * layer.multiply_adds / total:.0f} %",
            )
    return table
