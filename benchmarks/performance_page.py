"""The figures of `make bench` in the pages. To write them again from results.json: python -m benchmarks.performance_page."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.bundle_comparison import FIGURES, FIRST_RELEASE, REFERENCE
from benchmarks.costs import FUNCTION_MB, TWO_YEARS_FRAMES, function_frames_per_s, lambda_usd_per_million
from benchmarks.markdown import table_lines, with_block
from coinfarm.backfill.prices import PRICES_DATE
from coinfarm.cli.tables import numeric_table
from coinfarm.outputs import OUTPUT_NAMES

Results = dict[str, Any]
ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results.json"
START, END = "<!-- figures: make bench -->", "<!-- end of figures -->"


def performance_lines(results: Results) -> Iterator[str]:
    """The tables of docs/performance.md."""
    machine = results["machine"]
    yield (
        f"Measured on {machine['date']}: {machine['processor']}, {machine['cores']} cores, Python {machine['python']}, NumPy "
        f"{machine['numpy']}, Keras {machine['keras']}, OpenVINO {machine['openvino']}; {machine['candles']}. Other programs caused a load "
        f"average of {machine['loadAverage']:.1f}."
    )
    yield "\n### Against 0.1.0\n"
    yield from _comparison(results["comparison"])
    yield "\n### Costs\n"
    yield from table_lines(_COST_COLUMNS, _costs(results))
    yield "\n### Next to other servers\n"
    yield from table_lines(
        ("one frame per request", "version", "connections", "requests/s", "p50, ms", "p99, ms"),
        (
            (each["server"], each["version"], str(each["connections"]), *_numbers(each, requestsPerS=0, p50Ms=1, p99Ms=1))
            for each in results["servers"]
        ),
    )
    yield "\n### Networks\n"
    yield from _networks(results["networks"])
    yield "\n### Engines\n"
    for network, engines in results["framesPerSecond"].items():
        yield from _engines(network, engines)
        yield ""
    yield "### Rendering\n"
    rendering = results["renderingUsPerFrame"]
    yield from table_lines(("a frame, one core", "µs"), ((name, f"{microseconds:,.1f}") for name, microseconds in rendering.items()))


def readme_lines(results: Results) -> Iterator[str]:
    """The table of README.md."""
    machine, rendering, figures = results["machine"], results["renderingUsPerFrame"], results["processes"]["auto"]
    plain_fps, fps = results["plainKerasFramesPerSecond"], _pipeline_fps(results, REFERENCE)
    yield (
        f"`make bench` on {machine['cores']} cores ({machine['processor']}), {machine['date']}. *Plain Keras* renders with Pillow and "
        "calls `model.predict(batch_size=100)`."
    )
    yield ""
    yield from table_lines(
        ("", "plain Keras", "Coinfarm"),
        (
            ("render a frame, one core", f"{rendering['Pillow']:,.0f} µs", f"{rendering['image_render']:,.1f} µs"),
            ("reference model, Parquet candles to Parquet predictions", f"{plain_fps:,.0f} frames/s", f"{fps:,.0f} frames/s"),
            ("cold start: new process to first response", "", f"{figures['coldStartS']:.2f} s"),
            ("one warm request with 200 candles", "", f"p50 {figures['requestP50Ms']:.1f} ms, p99 {figures['requestP99Ms']:.1f} ms"),
            ("memory while serving batches of 100", "", f"{figures['peakMb']:,.0f} MB"),
        ),
    )
    yield ""
    yield (
        f"At that rate two years of three coins, 3.15 million frames, take {_minutes(fps)} minutes, and a million frames cost "
        f"${_usd(results, REFERENCE):.4f} on Lambda. [Performance](docs/performance.md) has all figures, next to those of 0.1.0 and "
        "of other servers."
    )


def operations_lines(results: Results) -> Iterator[str]:
    """The cost of a backfill in docs/operations.md."""
    fps = function_frames_per_s(_pipeline_fps(results, REFERENCE), results["machine"]["cores"])
    seconds, usd = TWO_YEARS_FRAMES / fps, _usd(results, REFERENCE) * TWO_YEARS_FRAMES / 1e6
    yield (
        f"At {fps:,.0f} frames per second and function, the speed that `make bench` measured in proportion to its memory, two years of "
        f"three coins (3.15 million frames) take {seconds:,.0f} function-seconds of {FUNCTION_MB / 1024:.2f} GB: about ${usd:.3f}."
    )


PAGES: dict[str, Callable[[Results], Iterator[str]]] = {
    "docs/performance.md": performance_lines,
    "README.md": readme_lines,
    "docs/operations.md": operations_lines,
}


def write_pages(results: Results, root: Path = ROOT) -> None:
    """Write the figures between the two comments of each page."""
    for name, lines in PAGES.items():
        page = (root / name).read_text(encoding="utf-8")
        (root / name).write_text(with_block(page, START, END, lines(results)), encoding="utf-8")


_COST_COLUMNS = ("model", "frames/s", "3.15 million frames, minutes", f"a million frames on Lambda, $ ({PRICES_DATE})")


def costs_table(results: Results) -> Table:
    """The time and the cost of predictions with each model."""
    table = numeric_table("Parquet candles to Parquet predictions, two years of three coins, costs", *_COST_COLUMNS)
    for row in _costs(results):
        table.add_row(*row)
    return table


def _costs(results: Results) -> Iterator[tuple[str, ...]]:
    for model in results["comparison"]["models"]:
        fps = _pipeline_fps(results, model)
        yield _model_title(model), f"{fps:,.0f}", _minutes(fps), f"{_usd(results, model):.4f}"


def _pipeline_fps(results: Results, model: str) -> float:
    return float(results["comparison"]["figures"]["parquetFramesPerSecond"][model])


def _usd(results: Results, model: str) -> float:
    return lambda_usd_per_million(_pipeline_fps(results, model), results["machine"]["cores"])


def _minutes(frames_per_s: float) -> str:
    return f"{TWO_YEARS_FRAMES / frames_per_s / 60:.1f}"


def _model_title(model: str) -> str:
    return "reference model" if model == REFERENCE else f"reference model of {model}"


def _comparison(comparison: Results) -> Iterator[str]:
    models = comparison["models"]
    header = ("", *(f"{_model_title(name)}, {each['version']}, {each['engine']}" for name, each in models.items()), "ratio")
    yield from table_lines(header, _comparison_rows(comparison))


def _comparison_rows(comparison: Results) -> Iterator[tuple[str, ...]]:
    models = comparison["models"]
    yield (
        "multiply-adds of a frame, million",
        *(f"{each['multiplyAdds'] / 1e6:.1f}" for each in models.values()),
        _ratio(models, "multiplyAdds"),
    )
    for name, values in comparison["figures"].items():
        figure = FIGURES[name]
        yield figure.title, *(f"{values[model]:,.{figure.digits}f}" for model in models), f"{values['ratio']:.2f}"


def _ratio(models: Results, name: str) -> str:
    return f"{models[REFERENCE][name] / models[FIRST_RELEASE][name]:.2f}"


def _networks(networks: list[Results]) -> Iterator[str]:
    header = ("", "layers", "parameters", "multiply-adds, million", "frames/s", "validation loss", "R² rise", "R² decline")
    yield from table_lines(
        header,
        (
            (
                each["candidate"],
                f"{each['layers']}",
                f"{each['parameters']:,}",
                f"{each['multiply_adds'] / 1e6:.1f}",
                f"{each['framesPerSecond']:,.0f}",
                f"{each['loss']:.4f}",
                *("–" if each["r2"][name] is None else f"{each['r2'][name]:.3f}" for name in OUTPUT_NAMES[:2]),
            )
            for each in networks
        ),
    )


def _engines(network: str, engines: list[Results]) -> Iterator[str]:
    yield from table_lines(
        (f"{network}, frames/s", "batch of 1", "10", "100", "× plain Keras", "worst correlation"),
        (
            (
                each["engine"],
                *(f"{fps:,.0f}" if (fps := each["framesPerSecondByBatch"].get(batch)) else "" for batch in ("1", "10", "100")),
                f"{each['timesPlainKeras']:.1f}",
                "" if each["worstCorrelation"] is None else f"{each['worstCorrelation']:.5f}",
            )
            for each in engines
        ),
    )


def _numbers(values: Results, **digits: int) -> Iterator[str]:
    return (f"{values[name]:,.{count}f}" for name, count in digits.items())


if __name__ == "__main__":
    write_pages(json.loads(RESULTS.read_text()))
