"""A demonstration as one page, and as a few lines."""

from pathlib import Path
from typing import TYPE_CHECKING

from coinfarm.demo.outcome import Outcome
from coinfarm.reports.figure import BLUE, ORANGE, figure_svg
from coinfarm.reports.page import Figure, Figures, Page, Prose, Section, Table, Tile, Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Plot

_FILE = "report.html"
_FATES = {
    "asked": "asked for",
    "predicted": "predicted",
    "mostlyFilled": "mostly filled",
    "tooFewBefore": "too few before",
    "noCandles": "no candles",
    "missing": "missing",
}


def write_report(outcome: Outcome, folder: Path) -> Path:
    """Write the page into the folder; where it lies. Raises `CoinfarmError` where it cannot be written."""
    path = folder / _FILE
    page(outcome).write(path)
    return path


def summary(outcome: Outcome) -> str:
    """Coverage and pace, in two lines."""
    fates = [f"{outcome.total[fate]:,} {words}" for fate, words in _FATES.items() if fate != "asked" and outcome.total[fate]]
    shares = ", ".join(f"{share.name} {share.shards:,}" for share in outcome.shares)
    return (
        f"{outcome.total['asked']:,} windows asked for: {'; '.join(fates)}\n"
        f"{outcome.frames_per_s:,.0f} windows/s over {outcome.work_s:.1f} s of work; shards: {shares}"
    )


def page(outcome: Outcome) -> Page:
    """The whole report."""
    return Page(
        title="A backfill on this machine",
        subtitle=f"Synthetic candles · model {outcome.model_version} · {len(outcome.shares)} workers · moto's server in the place of AWS",
        verdict=_verdict(outcome),
        tiles=_tiles(outcome),
        sections=(
            Section("How it went", (_figures(outcome), _shares(outcome))),
            Section("Every requested window", (_coverage(outcome),)),
            Section("Commands and resources", (Prose((_ABOUT_COMMANDS,)), _commands(outcome), _resources(outcome))),
        ),
        footer="Made by coinfarm backfill demo. The candles are generated, so the predictions say nothing about a real market.",
    )


_ABOUT_COMMANDS = (
    "Each step was the command below, in a process of its own, with the settings that stand before it and the AWS_ variables of the "
    "stand-in, which the demo prints at its start. Against a stack of your own the same commands take its outputs: QueueUrl, and the "
    "buckets' names."
)


def _verdict(outcome: Outcome) -> Verdict:
    total = outcome.total
    if not outcome.is_whole:
        return Verdict(
            f"Not whole: {total['missing']:,} of {total['asked']:,} windows are missing",
            (f"{outcome.predictions_rows:,} rows lie in {outcome.predictions.name}",),
            "bad",
        )
    return Verdict(
        f"{total['predicted']:,} windows predicted in {outcome.work_s:.1f} s, every window asked for accounted for",
        (
            f"{outcome.status['done']:,} of {outcome.status['shards']:,} shards done; none was lost, none lies there twice.",
            f"{outcome.status['deadLettered']:,} messages in the dead-letter queue, {outcome.status['waiting']:,} left in the queue.",
        ),
        "good",
    )


def _tiles(outcome: Outcome) -> tuple[Tile, ...]:
    quoted = outcome.status["usdQuoted"]
    return (
        Tile("Windows a second", f"{outcome.frames_per_s:,.0f}", f"by {len(outcome.shares)} workers, their start not counted"),
        Tile("From sending to last result", f"{outcome.seconds:.1f} s", "the workers' start and the model's download included"),
        Tile("Shards", f"{outcome.status['shards']:,}", "one coin and one day each, a message of the queue"),
        Tile("The same on Lambda", "?" if quoted is None else f"${quoted:.4f}", "as quoted by list prices"),
    )


def _figures(outcome: Outcome) -> Figures:
    seconds = [look.at_s for look in outcome.looks]

    def windows(plot: "Plot") -> None:
        axes = plot.subplots()
        axes.plot(seconds, [look.frames_done for look in outcome.looks], color=BLUE)
        axes.set(xlabel="seconds since the run was sent", ylabel="windows done", ylim=(0, None), xlim=(0, None))

    def queue(plot: "Plot") -> None:
        axes = plot.subplots()
        axes.plot(seconds, [look.waiting for look in outcome.looks], color=BLUE, label="waiting")
        axes.plot(seconds, [look.in_flight for look in outcome.looks], color=ORANGE, label="in flight")
        axes.set(xlabel="seconds since the run was sent", ylabel="messages", ylim=(0, None), xlim=(0, None))
        axes.legend()

    return Figures(
        (
            Figure(figure_svg(windows, "windows done over time"), "Windows done", "Flat at first: the workers start and fetch the model."),
            Figure(figure_svg(queue, "messages in the queue over time"), "The queue", "A message is in flight while a worker holds it."),
        )
    )


def _shares(outcome: Outcome) -> Table:
    rows = [(share.name, f"{share.shards:,}", f"{share.turns:,}", f"{share.busy_s:.1f} s") for share in outcome.shares]
    caption = "A batch is what a worker receives at once. Batches overlap: while one is in the engine, the candles of the next are read."
    return Table(("worker", "shards", "batches", "time in batches"), rows, caption)


def _coverage(outcome: Outcome) -> Table:
    rows = [
        (month["symbol"], month["month"], *(f"{month[fate]:,}" for fate in _FATES))
        for month in (*outcome.coverage["months"], {"symbol": "all", "month": "", **outcome.total})
    ]
    caption = "The first 199 windows of a coin have fewer than 200 candles, for its history begins there."
    return Table(("coin", "month", *_FATES.values()), rows, caption, text_columns=2, strong_row=len(rows) - 1)


def _commands(outcome: Outcome) -> Table:
    return Table(("command",), [(command,) for command in outcome.commands])


def _resources(outcome: Outcome) -> Table:
    rows = list(outcome.resources.items())
    return Table(
        ("resource of the template", "type"),
        rows,
        "The resources of template.yaml, made with the properties that it gives them",
        text_columns=2,
        folded=True,
    )
