"""The reference architecture compared with others, such as a plain VGG: multiply-adds, frames/s, and scores with the same budget."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.table import Table

import coinfarm.training
from benchmarks.timing import median_s
from coinfarm.compilation.converter import convert_model
from coinfarm.compilation.forms import BF16, F32
from coinfarm.engines.keras import KerasEngine
from coinfarm.engines.openvino import OpenVinoEngine
from coinfarm.engines.openvino_import import import_openvino
from coinfarm.engines.processor import processor_flags
from coinfarm.models.bundle import Bundle
from coinfarm.models.manifest import MODEL_FILE, LayerSummary
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.training.architecture import architecture
from coinfarm.training.comparison import CandidateResult, read_candidate_configs, read_candidate_results
from coinfarm.training.config import NetworkConfig
from coinfarm.training.network import build_network
from image_render.render import Frames

TRAINING = Path(coinfarm.training.__path__[0])
_BATCH = 100


@dataclass(frozen=True)
class Candidate:
    """A network, its speed on this machine without quantisation, and its result in `coinfarm compare`."""

    result: CandidateResult
    layers: tuple[LayerSummary, ...]
    engine: str
    frames_per_s: float


def candidates(frames: Frames) -> list[Candidate]:
    """One candidate per network of the comparison, with its best target."""
    best: dict[NetworkConfig, CandidateResult] = {}
    configs = read_candidate_configs(TRAINING / "candidates.toml")
    for result in sorted(read_candidate_results(TRAINING / "comparison.json"), key=lambda result: result.loss):
        best.setdefault(configs[result.candidate].network, result)
    return [_measured(network, result, frames) for network, result in best.items()]


def _measured(config: NetworkConfig, result: CandidateResult, frames: Frames) -> Candidate:
    network = build_network(config, np.zeros(len(OUTPUT_NAMES)))
    form = BF16 if BF16.runs_on(processor_flags()) else F32
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        network.save(folder / MODEL_FILE)
        bundle = Bundle.create(folder, name=result.candidate)
        path = folder / form.file
        path.parent.mkdir()
        import_openvino().save_model(convert_model(KerasEngine(bundle, _BATCH).traced), path)
        engine = OpenVinoEngine(bundle, form)
        seconds = median_s(lambda: engine.predict(frames))
    return Candidate(result, architecture(network), engine.name, len(frames) / seconds)


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
