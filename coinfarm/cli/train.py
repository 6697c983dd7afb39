"""`coinfarm train`: train a model from candles, and write it as a bundle."""

from pathlib import Path

import click

from coinfarm.cli.failures import on_interrupt
from coinfarm.cli.paths import EXISTING_FILE, FOLDER_TO_WRITE
from coinfarm.cli.progress import losses_text, progress_bar


@click.command(epilog="Example: coinfarm train examples/train-tiny.toml -o build/tiny")
@click.argument("config", type=EXISTING_FILE)
@click.option("-o", "--output", type=FOLDER_TO_WRITE, required=True, help="A new or empty folder for the bundle.")
@click.option("--tensorboard", type=FOLDER_TO_WRITE, help="Write logs for TensorBoard here.")
def train(config: Path, output: Path, tensorboard: Path | None) -> None:
    """Train a model, evaluate it, and write it as a bundle.

    CONFIG is a TOML file. If training is interrupted, run the same command again to continue after the last finished epoch: the state is
    kept in OUTPUT.training until training is done.
    """
    from coinfarm.models.calibration import output_calibrations
    from coinfarm.training.config import TrainingConfig
    from coinfarm.training.train import train as run

    training = TrainingConfig.read(config)

    def on_epoch(epoch: int, losses: dict[str, float]) -> None:
        click.echo(f"epoch {epoch + 1} of {training.epochs}  {losses_text(losses)}", err=True)

    hint = f"Finished epochs are stored in {output}.training. Run the same command again to continue."
    frames = training.epochs * training.steps_per_epoch * training.batch_size
    with on_interrupt(hint), progress_bar("frames", frames, unit="frames") as on_frames:
        bundle = run(training, output, on_epoch, on_frames=on_frames, tensorboard=tensorboard)
    for title, calibration in output_calibrations(bundle.manifest.metrics or {}).items():
        click.echo(f"{title}: {calibration.text}", err=True)
    click.echo(bundle.manifest.version)
    click.echo(f"Try it: coinfarm predict --model {output}, or publish it: coinfarm model publish {output} --to ROOT --promote", err=True)
