"""`make bench`: measure, print the tables, and write results.json, the plots in this folder, and the figures in the pages."""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.bundle_comparison import PIPELINE_CANDLES, REFERENCE, compare, comparison_table, in_handler_process
from benchmarks.candidates import Candidate, candidates, candidates_table, layers_table
from benchmarks.candles import bench_candles
from benchmarks.engines import Speed, published_engines, speeds, untrained_engines, worst_correlations
from benchmarks.networks import benchmark_network
from benchmarks.performance_page import RESULTS, costs_table, write_pages
from benchmarks.plots import write_plots
from benchmarks.reference import machine, reference_bundle, require_first_release
from benchmarks.rendering import rendering_us
from benchmarks.servers import side_by_side
from coinfarm.cli.tables import numeric_table
from coinfarm.engines.startup_logs import suppress_startup_logs
from coinfarm.serving.settings import reference_model_uri
from image_render.render import render_frames
from image_render.windows import Columns, windows

_CALIBRATION_FRAMES = 300
_MAX_LOAD = 0.5
_LAYERS_SHOWN = ("columns-narrow", "strided")
console = Console(width=120)


def main() -> None:
    """Run all benchmarks."""
    require_first_release()
    candles, source = bench_candles(PIPELINE_CANDLES)
    view = windows(candles.columns)
    batch_of_100 = Columns(*(column[:100] for column in view))
    measured_on = machine("numpy", "keras", "openvino") | {"candles": source, "loadAverage": os.getloadavg()[0]}
    console.print(", ".join(f"{name} {value}" for name, value in measured_on.items()))
    if measured_on["loadAverage"] > _MAX_LOAD:
        print("Other programs are busy: the figures will be worse, and their ratios less certain.", file=sys.stderr)
    if warning := side_by_side.warning():
        print(warning, file=sys.stderr)

    servers = side_by_side.measure()  # first, because it fails if a server does not start
    console.print(side_by_side.servers_table(servers))

    rendering = rendering_us(view)
    _print_rendering(rendering)

    bundle = reference_bundle()
    by_network = {
        "the benchmark network": _benchmark_network_speeds(view, batch_of_100),
        "the reference model": speeds(_keras_model(bundle.folder), published_engines(bundle), worst_correlations(bundle), batch_of_100),
    }
    for network, engines in by_network.items():
        _print_speeds(network, engines)

    networks = candidates(render_frames(batch_of_100))
    console.print(candidates_table(networks), *(layers_table(each) for each in networks if each.result.candidate in _LAYERS_SHOWN))

    comparison = compare(candles)
    console.print(comparison_table(comparison))
    processes = {
        "auto": {name: each[REFERENCE] for name, each in comparison["figures"].items()},
        "keras": in_handler_process(reference_model_uri(), "keras"),
    }
    _print_processes(processes)

    plain_fps = by_network["the reference model"][0].frames_per_s[100]
    results = {
        "machine": measured_on,
        "renderingUsPerFrame": rendering,
        "framesPerSecond": {network: [_speed_document(speed) for speed in engines] for network, engines in by_network.items()},
        "networks": [_candidate_document(each) for each in networks],
        "comparison": comparison,
        "processes": {engine: {name: figures[name] for name in processes["keras"]} for engine, figures in processes.items()},
        "servers": servers,
        "plainKerasFramesPerSecond": plain_fps,
    }
    console.print(costs_table(results))
    RESULTS.write_text(json.dumps(results, indent=2, default=float) + "\n")
    write_plots(results)
    write_pages(results)


def _benchmark_network_speeds(view: Columns, batch_of_100: Columns) -> list[Speed]:
    with suppress_startup_logs():
        network = benchmark_network()
    calibration = render_frames(Columns(*(column[:: len(column) // _CALIBRATION_FRAMES] for column in view)))
    with tempfile.TemporaryDirectory() as folder:
        return speeds(network, untrained_engines(network, Path(folder), calibration), {}, batch_of_100)


def _keras_model(folder: Path) -> Any:
    import keras

    return keras.saving.load_model(folder / "model.keras", compile=False, safe_mode=True)


def _print_rendering(rendering: dict[str, float]) -> None:
    table = numeric_table("Rendering a frame on one core", "", "µs", "× Pillow")
    for name, microseconds in rendering.items():
        table.add_row(name, f"{microseconds:,.1f}", f"{rendering['Pillow'] / microseconds:,.1f}")
    console.print(table)


def _print_speeds(network: str, engines: list[Speed]) -> None:
    table = numeric_table(f"Frames per second, {network}", "", "batch of 1", "10", "100", "× plain Keras", "worst correlation")
    for speed in engines:
        table.add_row(
            speed.engine,
            *(f"{speed.frames_per_s[batch]:,.0f}" if batch in speed.frames_per_s else "" for batch in (1, 10, 100)),
            f"{speed.ratio:.1f}",
            "" if speed.worst_correlation is None else f"{speed.worst_correlation:.5f}",
        )
    console.print(table)


def _print_processes(processes: dict[str, dict[str, float]]) -> None:
    table = numeric_table("The reference model behind the handler", "", "cold start, s", "request p50, ms", "p99, ms", "peak memory, MB")
    for engine, figures in processes.items():
        table.add_row(
            "default engine" if engine == "auto" else engine,
            f"{figures['coldStartS']:.2f}",
            f"{figures['requestP50Ms']:.1f}",
            f"{figures['requestP99Ms']:.1f}",
            f"{figures['peakMb']:.0f}",
        )
    console.print(table)


def _speed_document(speed: Speed) -> dict[str, Any]:
    return {
        "engine": speed.engine,
        "framesPerSecondByBatch": {str(batch): frames_per_s for batch, frames_per_s in speed.frames_per_s.items()},
        "timesPlainKeras": speed.ratio,
        "worstCorrelation": speed.worst_correlation,
    }


def _candidate_document(candidate: Candidate) -> dict[str, Any]:
    return {
        **candidate.result.model_dump(),
        "engine": candidate.engine,
        "framesPerSecond": candidate.frames_per_s,
        "multiplyAddsByLayer": {layer.name: layer.multiply_adds for layer in candidate.layers if layer.multiply_adds},
    }


if __name__ == "__main__":
    main()
