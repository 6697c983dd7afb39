"""The reference model compared with that of version 0.1.0 in one run: python -m benchmarks.bundle_comparison.

Both are measured in turns, several rounds, and the best round of each counts: other programs on the machine only make a round slower.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.candles import bench_candles
from benchmarks.handler_processes import measure
from benchmarks.pipeline import engine_frames_per_s, parquet_to_parquet_frames_per_s
from benchmarks.reference import FIRST_RELEASE_URI, require_first_release
from coinfarm.candles.candles import Candles
from coinfarm.cli.tables import numeric_table
from coinfarm.prediction.model_manager import LoadedModel
from coinfarm.serving.service import Service
from coinfarm.serving.settings import Settings, reference_model_uri

REFERENCE, FIRST_RELEASE = "reference", "0.1.0"
ROUNDS = 5
PIPELINE_CANDLES = 10 * 1_440
Measure = Callable[[str], dict[str, float]]
"""Figures of the model with a URI, by name."""


@dataclass(frozen=True)
class Figure:
    """A measured quantity, and which of several rounds is the best."""

    title: str
    best: Callable[[Iterable[float]], float]
    digits: int = 0


FIGURES = {
    "engineFramesPerSecond": Figure("engine, frames/s", max),
    "parquetFramesPerSecond": Figure("Parquet candles to Parquet predictions, frames/s", max),
    "requestP50Ms": Figure("one warm request in process, p50, ms", min, 2),
    "requestP99Ms": Figure("one warm request in process, p99, ms", min, 2),
    "coldStartS": Figure("cold start, s", min, 2),
    "peakMb": Figure("peak memory, batches of 100 frames, MB", min),
}


def compare(candles: Candles, rounds: int = ROUNDS, model_uri: str | None = None) -> dict[str, Any]:
    """Measure the reference model, or another one, and that of 0.1.0; the result as JSON."""
    uris = {REFERENCE: model_uri or reference_model_uri(), FIRST_RELEASE: FIRST_RELEASE_URI}
    predictors = {uri: Service(Settings(model_uri=uri, prediction_cache_frames=0)).predictor() for uri in uris.values()}
    models = {name: _description(predictors[uri].model) for name, uri in uris.items()}
    with tempfile.TemporaryDirectory() as folder:

        def in_process(uri: str) -> dict[str, float]:
            return {
                "engineFramesPerSecond": engine_frames_per_s(predictors[uri], candles),
                "parquetFramesPerSecond": parquet_to_parquet_frames_per_s(predictors[uri], candles, Path(folder)),
            }

        measured = alternate(uris, (in_process, in_handler_process), rounds)
    return {"models": models, "rounds": rounds, "figures": measured}


def alternate(uris: dict[str, str], measures: Iterable[Measure], rounds: int) -> dict[str, dict[str, float]]:
    """The best value of each figure for each model by name, and the ratio of the first model to the second.

    Every other round has the reverse order, so that no model is always measured after the other.
    """
    values: dict[str, dict[str, list[float]]] = {}
    for measuring in measures:
        for number in range(rounds):
            for name in list(uris)[:: -1 if number % 2 else 1]:
                for figure, value in measuring(uris[name]).items():
                    values.setdefault(figure, {each: [] for each in uris})[name].append(value)
    best = {figure: {name: FIGURES[figure].best(found) for name, found in by_name.items()} for figure, by_name in values.items()}
    first, second = uris
    return {figure: by_name | {"ratio": by_name[first] / by_name[second]} for figure, by_name in best.items()}


def _description(model: LoadedModel) -> dict[str, Any]:
    layers = model.bundle.manifest.architecture or ()
    return {
        "version": model.version,
        "engine": model.engine.name,
        "parameters": sum(layer.parameters for layer in layers),
        "multiplyAdds": sum(layer.multiply_adds for layer in layers),
    }


def in_handler_process(uri: str, engine: str = "auto") -> dict[str, float]:
    """The figures of the handler in processes of its own."""
    figures = partial(measure, model_uri=uri, engine=engine)
    request = figures("warm_request")
    return {
        "requestP50Ms": request["p50_ms"],
        "requestP99Ms": request["p99_ms"],
        "coldStartS": figures("cold_start")["cold_start_s"],
        "peakMb": figures("memory")["peak_mb"],
    }


def comparison_table(comparison: dict[str, Any]) -> Table:
    """The figures of both models, and their ratios."""
    models = comparison["models"]
    title = f"The reference model and that of 0.1.0, in turns, the best of {comparison['rounds']} rounds"
    table = numeric_table(title, "", *(f"{name}\n{each['version']}\n{each['engine']}" for name, each in models.items()), "ratio")
    for name, values in comparison["figures"].items():
        figure = FIGURES[name]
        table.add_row(figure.title, *(f"{values[model]:,.{figure.digits}f}" for model in models), f"{values['ratio']:.2f}")
    return table


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bundle_comparison", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="[default: %(default)s]")
    parser.add_argument("--model", help="a model root, to measure instead of the reference model")
    arguments = parser.parse_args()
    require_first_release()
    candles, source = bench_candles(PIPELINE_CANDLES)
    console = Console(width=120)
    console.print(comparison_table(compare(candles, arguments.rounds, arguments.model)), source)


if __name__ == "__main__":
    main()
