"""The report of a demo run: an HTML page, and a summary of two lines."""

from pathlib import Path
from typing import TYPE_CHECKING

from coinfarm.demo.demo_result import DemoResult
from coinfarm.reports.figure import BLUE, ORANGE, figure_svg
from coinfarm.reports.formatting import plural_text
from coinfarm.reports.page import Figure, Figures, Page, Prose, Section, Table, Tile, Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Plot

_FILE = "report.html"
_COUNTS = {
    "asked": "requested",
    "predicted": "predicted",
    "mostlyFilled": "mostly filled",
    "tooFewBefore": "too few before",
    "noCandles": "no candles",
    "missing": "missing",
}


def write_report(result: DemoResult, folder: Path) -> Path:
    """Write the page into the folder, and return its path. Raises `CoinfarmError` if it cannot be written."""
    path = folder / _FILE
    page(result).write(path)
    return path


def summary(result: DemoResult) -> str:
    """Coverage and speed, in two lines."""
    counts = [f"{result.total[key]:,} {label}" for key, label in _COUNTS.items() if key != "asked" and result.total[key]]
    workers = ", ".join(f"{worker.name} {worker.shards:,}" for worker in result.workers)
    return (
        f"{result.total['asked']:,} windows requested: {'; '.join(counts)}\n"
        f"{result.windows_per_s:,.0f} windows/s over {result.work_s:.1f} s of work; shards: {workers}"
    )


def page(result: DemoResult) -> Page:
    """The HTML report."""
    workers = plural_text(len(result.workers), "worker")
    return Page(
        title="A backfill on this machine",
        subtitle=f"Synthetic candles · model {result.model_version} · {workers} · moto's server instead of AWS",
        verdict=_verdict(result),
        tiles=_tiles(result),
        sections=(
            Section("Progress", (_figures(result), _worker_table(result))),
            Section("Windows", (_coverage_table(result),)),
            Section("Commands and resources", (Prose((_ABOUT_COMMANDS,)), _command_table(result), _resource_table(result))),
        ),
        footer="Made by coinfarm backfill demo. The candles are synthetic, so the predictions say nothing about a real market.",
    )


_ABOUT_COMMANDS = (
    "Each step was one of the commands below, in its own process, with the settings shown before it and the AWS_ variables of the "
    "mock, which the demo prints when it starts. For a deployed stack, use the same commands with its outputs: QueueUrl, and the "
    "names of the buckets."
)


def _verdict(result: DemoResult) -> Verdict:
    total = result.total
    if not result.is_complete:
        return Verdict(
            f"Incomplete: {total['missing']:,} of {total['asked']:,} windows are missing",
            (f"{result.predictions_rows:,} rows in {result.predictions.name}",),
            "bad",
        )
    return Verdict(
        f"{total['predicted']:,} windows predicted in {result.work_s:.1f} s, every requested window accounted for",
        (
            f"{result.status['done']:,} of {result.status['shards']:,} shards done; none was lost or duplicated.",
            f"{result.status['deadLettered']:,} messages in the dead-letter queue, {result.status['waiting']:,} left in the queue.",
        ),
        "good",
    )


def _tiles(result: DemoResult) -> tuple[Tile, ...]:
    estimated_usd = result.status["usdQuoted"]
    return (
        Tile(
            "Windows per second",
            f"{result.windows_per_s:,.0f}",
            f"by {plural_text(len(result.workers), 'worker')}, not counting their start",
        ),
        Tile("From submission to last result", f"{result.seconds:.1f} s", "including the workers' start and the model's download"),
        Tile("Shards", f"{result.status['shards']:,}", "one coin and one day each, one message each"),
        Tile("The same on Lambda", "?" if estimated_usd is None else f"${estimated_usd:.4f}", "estimated from list prices"),
    )


def _figures(result: DemoResult) -> Figures:
    samples = result.samples
    seconds = [sample.at_s for sample in samples]

    def windows(plot: "Plot") -> None:
        axes = plot.subplots()
        axes.plot(seconds, [sample.windows_done for sample in samples], color=BLUE)
        axes.set(xlabel="seconds since the run was submitted", ylabel="windows done", ylim=(0, None), xlim=(0, None))

    def queue(plot: "Plot") -> None:
        axes = plot.subplots()
        axes.plot(seconds, [sample.waiting for sample in samples], color=BLUE, label="waiting")
        axes.plot(seconds, [sample.in_flight for sample in samples], color=ORANGE, label="in flight")
        axes.set(xlabel="seconds since the run was submitted", ylabel="messages", ylim=(0, None), xlim=(0, None))
        axes.legend()

    return Figures(
        (
            Figure(
                figure_svg(windows, "windows done over time"),
                "Windows done",
                "Flat at first, while the workers start and download the model.",
            ),
            Figure(
                figure_svg(queue, "messages in the queue over time"), "The queue", "A message is in flight while a worker processes it."
            ),
        )
    )


def _worker_table(result: DemoResult) -> Table:
    rows = [(worker.name, f"{worker.shards:,}", f"{worker.batches:,}", f"{worker.busy_s:.1f} s") for worker in result.workers]
    caption = "A batch is the messages that a worker receives at once. Batches overlap: candles are read during predictions."
    return Table(("worker", "shards", "batches", "time in batches"), rows, caption)


def _coverage_table(result: DemoResult) -> Table:
    rows = [
        (month["symbol"], month["month"], *(f"{month[key]:,}" for key in _COUNTS))
        for month in (*result.coverage["months"], {"symbol": "all", "month": "", **result.total})
    ]
    caption = "The first 199 windows of a coin have fewer than 200 candles, because its history begins there."
    return Table(("coin", "month", *_COUNTS.values()), rows, caption, text_columns=2, strong_row=len(rows) - 1)


def _command_table(result: DemoResult) -> Table:
    return Table(("command",), [(command,) for command in result.commands])


def _resource_table(result: DemoResult) -> Table:
    rows = list(result.resources.items())
    return Table(
        ("resource of the template", "type"),
        rows,
        "Created from template.yaml, with its properties",
        text_columns=2,
        folded=True,
    )
