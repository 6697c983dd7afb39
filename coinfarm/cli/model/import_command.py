"""`coinfarm model import`: converts models in older formats."""

from pathlib import Path

import click

from coinfarm.cli.paths import FILE_TO_WRITE


@click.command("import", epilog="Example: coinfarm model import build/old.h5 -o build/old.keras")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option("-o", "--output", type=FILE_TO_WRITE, required=True, help="The .keras file to write.")
def import_model(source: Path, output: Path) -> None:
    """Convert a model in an older format to a .keras file.

    SOURCE is an .h5 file, the folder of a SavedModel, or a .keras file of Keras 2. It is converted in a process of its own, and no code
    from it is run. Where that is impossible, the command says which two lines to run where the model's code is (exit code 1).
    """
    from coinfarm.errors import CoinfarmError
    from coinfarm.publishing.keras_import import import_model as convert

    if output.suffix != ".keras":
        raise click.UsageError(f"-o {output}: its name must end in .keras")
    try:
        convert(source, output)
    except CoinfarmError as error:
        raise click.ClickException(str(error)) from None
    click.echo(output)
    click.echo(f"Publish it: coinfarm model publish {output} --to ROOT", err=True)
