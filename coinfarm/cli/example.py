"""`coinfarm example`: predict synthetic candles through the Lambda handler."""

import os
from pathlib import Path

import click

from coinfarm.cli.paths import FOLDER_TO_WRITE
from coinfarm.cli.tables import print_tables


@click.command(epilog="Example: coinfarm example -o build")
@click.option(
    "-o",
    "--output",
    type=FOLDER_TO_WRITE,
    default=Path("build"),
    show_default=True,
    help="A folder for the chart.",
)
def example(output: Path) -> None:
    """Predict 100 frames through the Lambda handler, as a demo."""
    os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "WARNING")
    os.environ.setdefault("POWERTOOLS_METRICS_DISABLED", "true")
    from coinfarm.cli.evaluation_tables import evaluation_record_table
    from coinfarm.cli.prediction_table import prediction_table
    from handler.example import run_example

    shown = run_example(output)
    print_tables(prediction_table(shown.response, len(shown.response["results"])), *map(evaluation_record_table, shown.evaluations))
    click.echo(f"{len(shown.response['results'])} frames predicted in {shown.first_s:.1f} s, including the loading of the model.")
    click.echo(f"The last window as the model sees it, with its prediction: {shown.chart}")
