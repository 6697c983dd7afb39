"""`coinfarm compare`: train several networks or targets with the same budget."""

from pathlib import Path

import click

from coinfarm.cli.failures import on_interrupt
from coinfarm.cli.paths import EXISTING_FILE, FILE_TO_WRITE
from coinfarm.cli.progress import losses_text
from coinfarm.cli.tables import print_tables


@click.command(epilog="Example: coinfarm compare build/compare-tiny.toml -o build/comparison.json")
@click.argument("config", type=EXISTING_FILE)
@click.option(
    "-o",
    "--output",
    type=FILE_TO_WRITE,
    required=True,
    help="A JSON file for the results; candidates that it already has are not trained again.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def compare(config: Path, output: Path, as_json: bool) -> None:
    """Train several networks, and compare their validation loss.

    CONFIG is a TOML file that lists the candidates.
    """
    from coinfarm.cli.comparison_table import comparison_table
    from coinfarm.training.comparison import compare_candidates as run
    from coinfarm.training.comparison import read_candidate_configs
    from coinfarm.training.loop import read_candle_files

    configs = read_candidate_configs(config)
    coins = read_candle_files(next(iter(configs.values())))

    def on_epoch(epoch: int, losses: dict[str, float]) -> None:
        click.echo(f"  epoch {epoch + 1}  {losses_text(losses)}", err=True)

    results = []
    with on_interrupt(f"Finished candidates are stored in {output}. Run the same command again to continue."):
        for result in run(configs, coins, output, on_epoch):
            click.echo(f"{result.candidate}: loss {result.loss}", err=True)
            results.append(result)
    if as_json:
        click.echo(output.read_text(), nl=False)
    else:
        print_tables(comparison_table(results))
