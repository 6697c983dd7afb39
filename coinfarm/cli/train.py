"""`coinfarm train`: from candles to a bundle."""

from pathlib import Path

import click

from coinfarm.cli.options import EXISTING_FILE, FOLDER


@click.command(epilog="Example: coinfarm train coinfarm/training/reference.toml -o build/model")
@click.argument("config", type=EXISTING_FILE)
@click.option("-o", "--output", type=FOLDER, required=True, help="An empty folder for the bundle.")
def train(config: Path, output: Path) -> None:
    """Train a model as the TOML file CONFIG says, judge it, and leave it as a bundle, to be published."""
    from coinfarm.training.config import TrainingConfig
    from coinfarm.training.run import train as run

    if output.exists() and any(output.iterdir()):
        raise click.ClickException(f"{output} is not empty")
    plan = TrainingConfig.read(config)

    def progress(epoch: int, losses: dict[str, float]) -> None:
        shown = "  ".join(f"{name} {value:.4f}" for name, value in losses.items())
        click.echo(f"epoch {epoch + 1} of {plan.epochs}  {shown}", err=True)

    bundle = run(plan, output, progress)
    click.echo(bundle.manifest.version)
