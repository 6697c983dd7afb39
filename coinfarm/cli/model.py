"""`coinfarm model …`: publish versions of a model, and choose which serves."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from coinfarm.cli.options import EXISTING_FILE, print_tables

if TYPE_CHECKING:
    from coinfarm.models.bundle import Bundle


@click.group()
def model() -> None:
    """Publish versions of a model, and choose which serves. ROOT is a folder or an s3:// URI."""


@model.command(epilog="Example: coinfarm model publish model.keras --to s3://my-models/models/btc --candles BTCUSD-1m.parquet --promote")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option("--to", "root", required=True, help="The model root.")
@click.option("--promote", "promotes", is_flag=True, help="Let it serve at once.")
@click.option("--name", help="What to call a bare .keras file.  [default: the file's name]")
@click.option("--unit", type=click.Choice(["percent", "window_range"]), default="percent", help="Of the outputs of a bare .keras file.")
@click.option(
    "--compile/--no-compile", "compiles", default=True, show_default=True, help="Make it fast, in every form that keeps its word."
)
@click.option("--candles", type=EXISTING_FILE, multiple=True, help="Real candles to compile with; better than made-up ones.")
@click.option("--max-mib", type=click.FloatRange(min=0), help="Leave out the slowest forms until the bundle is no larger.")
def publish(
    source: Path, root: str, promotes: bool, name: str | None, unit: Any, compiles: bool, candles: tuple[Path, ...], max_mib: float | None
) -> None:
    """Put SOURCE, a bundle from `coinfarm train` or a .keras file, under a model root. A version, once there, never changes."""
    from tempfile import TemporaryDirectory

    from coinfarm.models.promotion import promote as move
    from coinfarm.models.publish import publish as put
    from coinfarm.models.source import open_source
    from coinfarm.storage import open_storage

    storage = open_storage(root)
    with TemporaryDirectory() as bare, TemporaryDirectory() as compiled:
        bundle = open_source(source, Path(bare), name=name, unit=unit)
        if compiles:
            bundle = _compile(bundle, Path(compiled), candles, None if max_mib is None else int(max_mib * 2**20))
        version = put(storage, bundle)
    if promotes:
        move(storage, version)
    click.echo(version)


@model.command("list", epilog="Example: coinfarm model list s3://my-models/models/btc")
@click.argument("root")
def list_versions(root: str) -> None:
    """List the versions under ROOT; the one that serves has a star."""
    from coinfarm.errors import NotFound
    from coinfarm.models.pointer import read_pointer
    from coinfarm.models.store import ModelStore
    from coinfarm.storage import open_storage

    storage = open_storage(root)
    try:
        read = read_pointer(storage)
        serving = read[0].version if read else None
    except NotFound:
        serving = None
    for version in ModelStore(storage).versions():
        click.echo(f"{'*' if version == serving else ' '} {version}")


@model.command(epilog="Example: coinfarm model show coinfarm/reference_model 20261122-f64964ac")
@click.argument("root")
@click.argument("version")
def show(root: str, version: str) -> None:
    """Print the manifest of a VERSION as JSON."""
    from coinfarm.models.store import ModelStore
    from coinfarm.storage import open_storage

    click.echo(ModelStore(open_storage(root)).manifest(version).to_json().decode(), nl=False)


@model.command(epilog="Example: coinfarm model promote s3://my-models/models/btc 20261122-f64964ac")
@click.argument("root")
@click.argument("version")
@click.option("--note", default="", help="Why; kept in the history.")
def promote(root: str, version: str, note: str) -> None:
    """Let VERSION serve."""
    from coinfarm.models.promotion import promote as move
    from coinfarm.storage import open_storage

    click.echo(move(open_storage(root), version, note=note).version)


@model.command(epilog="Example: coinfarm model rollback s3://my-models/models/btc --note 'worse on ETH'")
@click.argument("root")
@click.option("--note", default="", help="Why; kept in the history.")
def rollback(root: str, note: str) -> None:
    """Let that version serve again which did before."""
    from coinfarm.models.pointer import rollback as move_back
    from coinfarm.storage import open_storage

    click.echo(move_back(open_storage(root), note=note).version)


def _compile(bundle: "Bundle", folder: Path, candles: tuple[Path, ...], max_bytes: int | None) -> "Bundle":
    from coinfarm.compilation.compile import compile_bundle
    from coinfarm.compilation.report import forms_table
    from coinfarm.compilation.sample import Sample

    if not candles:
        click.echo("Without --candles the forms are made and judged with made-up candles.", err=True)
    sample = Sample.of_files(candles) if candles else Sample.generated()
    compilation = compile_bundle(bundle, folder, sample, max_bytes=max_bytes, progress=lambda step: click.echo(f"{step} …", err=True))
    print_tables(forms_table(compilation), to_stderr=True)
    return compilation.bundle
