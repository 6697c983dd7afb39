"""`make bench`: measure, print the tables, and write results.json and the plots to this folder."""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.candidates import Candidate, candidates, candidates_table, layers_table
from benchmarks.candles import bench_candles
from benchmarks.costs import lambda_usd_per_million
from benchmarks.engines import Speed, published_engines, speeds, untrained_engines, worst_correlations
from benchmarks.handler_processes import measure
from benchmarks.networks import benchmark_network
from benchmarks.pipeline import parquet_to_parquet_frames_per_s
from benchmarks.plots import plot_costs, plot_throughput
from benchmarks.reference import machine
from benchmarks.rendering import rendering_us
from coinfarm.backfill.prices import PRICES_DATE
from coinfarm.cli.tables import numeric_table
from coinfarm.serving.service import Service
from coinfarm.serving.settings import Settings, reference_model_uri
from image_render.render import render_frames
from image_render.spec import STANDARD
from image_render.windows import Columns, windows

_HERE = Path(__file__).parent
_DAY = 1_440
_PIPELINE_FRAMES = 20 * _DAY
_CALIBRATION_FRAMES = 300
_LAYERS_SHOWN = ("strided-mirrored", "vgg")
console = Console(width=120)


def main() -> None:
    """Run all benchmarks, the slow ones last."""
    candles, source = bench_candles(_PIPELINE_FRAMES + STANDARD.window_candles - 1)
    view = windows(candles.columns)
    batch_of_100 = Columns(*(column[:100] for column in view))
    measured_on = machine("numpy", "keras", "openvino") | {"candles": source}
    cores = measured_on["cores"]
    console.print(", ".join(f"{name} {value}" for name, value in measured_on.items()))

    rendering = rendering_us(view)
    _print_rendering(rendering)

    settings = Settings(model_uri=reference_model_uri(), prediction_cache_frames=0)
    predictor = Service(settings).predictor()
    bundle = predictor.model.bundle
    by_network = {
        "the benchmark network": _benchmark_network_speeds(view, batch_of_100),
        "the reference model": speeds(_keras_model(bundle.folder), published_engines(bundle), worst_correlations(bundle), batch_of_100),
    }
    for network, engines in by_network.items():
        _print_speeds(network, engines)

    networks = candidates(render_frames(batch_of_100))
    console.print(candidates_table(networks), *(layers_table(each) for each in networks if each.result.candidate in _LAYERS_SHOWN))

    processes = {engine: _processes(engine) for engine in ("auto", "keras")}
    _print_processes(processes)

    with tempfile.TemporaryDirectory() as folder:
        pipeline_fps = parquet_to_parquet_frames_per_s(predictor, candles, Path(folder))
    plain_fps = by_network["the reference model"][0].frames_per_s[100]
    usd = lambda_usd_per_million(pipeline_fps, cores)
    console.print(
        f"Parquet candles to Parquet predictions: {pipeline_fps:,.0f} frames/s, {pipeline_fps / plain_fps:.1f} × plain Keras; "
        f"3.15 million frames in {3.15e6 / pipeline_fps / 60:.1f} minutes; a million on Lambda: ${usd:.4f} (list prices, {PRICES_DATE})"
    )

    results = {
        "machine": measured_on,
        "renderingUsPerFrame": rendering,
        "framesPerSecond": {network: [_speed_document(speed) for speed in engines] for network, engines in by_network.items()},
        "networks": [_candidate_document(each) for each in networks],
        "processes": processes,
        "parquetToParquet": {"framesPerSecond": pipeline_fps, "timesPlainKeras": pipeline_fps / plain_fps},
        "lambdaUsdPerMillionFrames": usd,
    }
    (_HERE / "results.json").write_text(json.dumps(results, indent=2, default=float) + "\n")
    plot_throughput(by_network, _HERE / "throughput.png")
    plot_costs(pipeline_fps, cores, _HERE / "costs.png")
    console.print(f"Written: {_HERE / 'results.json'}, throughput.png, costs.png")


def _benchmark_network_speeds(view: Columns, batch_of_100: Columns) -> list[Speed]:
    network = benchmark_network()
    calibration = render_frames(Columns(*(column[:: len(column) // _CALIBRATION_FRAMES] for column in view)))
    with tempfile.TemporaryDirectory() as folder:
        return speeds(network, untrained_engines(network, Path(folder), calibration), {}, batch_of_100)


def _keras_model(folder: Path) -> Any:
    import keras

    return keras.saving.load_model(folder / "model.keras", compile=False, safe_mode=True)


def _processes(engine: str) -> dict[str, Any]:
    return {name: measure(name, reference_model_uri(), engine) for name in ("cold_start", "warm_request", "memory")}


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


def _print_processes(processes: dict[str, dict[str, Any]]) -> None:
    table = numeric_table("The reference model behind the handler", "", "cold start, s", "request p50, ms", "p99, ms", "peak memory, MB")
    for engine, figures in processes.items():
        request = figures["warm_request"]
        table.add_row(
            "default engine" if engine == "auto" else engine,
            f"{figures['cold_start']['cold_start_s']:.2f}",
            f"{request['p50_ms']:.1f}",
            f"{request['p99_ms']:.1f}",
            f"{figures['memory']['peak_mb']:.0f}",
        )
    console.print(table)


def _speed_document(speed: Speed) -> dict[str, Any]:
    return {
        "engine": speed.engine,
        "framesPerSecondByBatch": speed.frames_per_s,
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
    sys.exit(main())
