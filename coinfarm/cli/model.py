"""`coinfarm model …`: publish versions of a model, and choose the one in service."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from coinfarm.cli.failures import on_interrupt
from coinfarm.cli.paths import EXISTING_FILE, FILE_TO_WRITE, ROOT, ROOT_TO_WRITE
from coinfarm.cli.tables import print_tables

if TYPE_CHECKING:
    from coinfarm.models.bundle import Bundle


def _one_root(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> str:
    if len(given) != 1:
        raise click.UsageError("pass one ROOT, or use a stack: coinfarm --stack NAME model …")
    return given[0]


_ROOT = click.argument("root", type=ROOT, nargs=-1, metavar="[ROOT]", callback=_one_root)
"""Optional with --stack, although another argument follows it: so click accepts any number, and the callback checks it."""


@click.group()
def model() -> None:
    """Publish model versions, and choose the one in service.

    ROOT, the model root, is a folder or an s3:// URI; model publish creates it. With coinfarm --stack NAME it may be left out. The other
    commands fail (exit code 1) if ROOT does not exist or has no versions.
    """


@model.command(epilog="Example: coinfarm model publish build/tiny --to build/models")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option("--to", "root", type=ROOT_TO_WRITE, required=True, help="The model root.  [default: that of coinfarm --stack]")
@click.option("--promote", "promotes", is_flag=True, help="Put it in service at once.")
@click.option("--name", help="The model's name, if SOURCE is a .keras file.  [default: the file's name]")
@click.option(
    "--unit",
    type=click.Choice(["percent", "window_range"]),
    default="percent",
    show_default=True,
    help="The unit of the outputs, if SOURCE is a .keras file.",
)
@click.option(
    "--compile/--no-compile",
    "compiles",
    default=True,
    show_default=True,
    help="Compile it to several fast forms, and keep those whose output matches Keras.",
)
@click.option(
    "--candles",
    type=EXISTING_FILE,
    multiple=True,
    help="Real candles to compile and compare with, 300,000 or more.  [default: synthetic ones]",
)
@click.option(
    "--evaluation",
    "evaluations",
    type=EXISTING_FILE,
    multiple=True,
    help="An output of coinfarm evaluate --json, to store with the version.",
)
@click.option("--max-mib", type=click.FloatRange(min=0), help="Leave out the slowest compiled forms until the bundle is no larger.")
def publish(
    source: Path,
    root: str,
    promotes: bool,
    name: str | None,
    unit: Any,
    compiles: bool,
    candles: tuple[Path, ...],
    evaluations: tuple[Path, ...],
    max_mib: float | None,
) -> None:
    """Publish a model as a new version under a model root.

    SOURCE is a bundle from coinfarm train, or a .keras file. A published version never changes:
    publishing it again only replaces files that are missing or damaged.
    """
    from tempfile import TemporaryDirectory

    from coinfarm.models.evaluations import checked_evaluation
    from coinfarm.models.promotion import promote as promote_version
    from coinfarm.models.publish import bundle_to_publish, published_manifest, record_evaluation, repair
    from coinfarm.models.publish import publish as publish_bundle
    from coinfarm.storage import open_storage

    storage = open_storage(root)
    documents = [_json_object(path) for path in evaluations]
    interruptible = on_interrupt("Nothing was published, unless a version was printed. Run the same command again to start over.")
    with interruptible, TemporaryDirectory() as created, TemporaryDirectory() as compiled:
        bundle = bundle_to_publish(source, Path(created), name=name, unit=unit)
        version = bundle.manifest.version
        for document in documents:
            checked_evaluation(version, document)  # before any work is done
        published = published_manifest(storage, bundle.manifest)
        if published is not None:
            repaired = repair(storage, published, bundle)
            outcome = f"replaced its damaged files: {', '.join(repaired)}." if repaired else "it stays as it is."
            click.echo(f"{version} is already published under {root}; {outcome}", err=True)
        else:
            if compiles:
                bundle = _compile(bundle, Path(compiled), candles, None if max_mib is None else int(max_mib * 2**20))
            publish_bundle(storage, bundle)
    click.echo(version)
    for document in documents:
        record_evaluation(storage, version, document)
    if promotes:
        promote_version(storage, version)


@model.command("list", epilog="Example: coinfarm model list build/models")
@_ROOT
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects as JSON.")
def list_versions(root: str, as_json: bool) -> None:
    """List versions and their scores; * is the one in service."""
    from coinfarm.cli.model_tables import versions_table
    from coinfarm.models.listing import listed_versions
    from coinfarm.models.store import open_model_root

    versions = listed_versions(open_model_root(root))
    if as_json:
        click.echo(json.dumps([listed.to_dict() for listed in versions], indent=2))
    else:
        print_tables(versions_table(versions))


@model.command(epilog="Example: coinfarm model history build/models")
@_ROOT
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects as JSON.")
def history(root: str, as_json: bool) -> None:
    """Show which version was in service since when, latest first."""
    from coinfarm.cli.model_tables import history_table
    from coinfarm.models.pointer import promotions
    from coinfarm.models.store import open_model_root

    pointers = promotions(open_model_root(root))
    if as_json:
        click.echo(json.dumps([pointer.model_dump(mode="json", by_alias=True, exclude_none=True) for pointer in pointers], indent=2))
    else:
        print_tables(history_table(pointers))


@model.command(epilog="Example: coinfarm model show coinfarm/reference_model 20261127-78987a85")
@_ROOT
@click.argument("version")
def show(root: str, version: str) -> None:
    """Print the manifest of VERSION as JSON."""
    from coinfarm.models.store import ModelStore, open_model_root

    click.echo(ModelStore(open_model_root(root)).manifest(version).to_json().decode(), nl=False)


@model.command(epilog="Example: coinfarm model card coinfarm/reference_model 20261127-78987a85 -o build/card.md")
@_ROOT
@click.argument("version")
@click.option("-o", "--output", type=FILE_TO_WRITE, help="The Markdown file to write.  [default: print it]")
def card(root: str, version: str, output: Path | None) -> None:
    """Print a model card of VERSION, in Markdown.

    It has data, architecture, scores of the model and of baselines, speed, limits, and how to reproduce the version.
    """
    from coinfarm.models.card import model_card
    from coinfarm.models.evaluations import read_evaluations
    from coinfarm.models.store import ModelStore, open_model_root
    from coinfarm.storage.local_file import write_file

    storage = open_model_root(root)
    text = model_card(ModelStore(storage).manifest(version), read_evaluations(storage, version))
    if output is None:
        click.echo(text, nl=False)
    else:
        write_file(output, text)
        click.echo(output)


@model.command(epilog='Example: coinfarm model promote build/models "$version"')
@_ROOT
@click.argument("version")
@click.option("--note", default="", help="A note for the history.")
@click.option(
    "--force",
    is_flag=True,
    help="Promote it although its score is worse or missing, or a compiled form differs from Keras. Needs --reason.",
)
@click.option("--reason", help="The reason for --force, stored in the history.")
def promote(root: str, version: str, note: str, force: bool, reason: str | None) -> None:
    """Put VERSION in service, if it passes the checks.

    Its files must match their digests, its compiled forms must match Keras, and its evaluation must be no worse than that of the version in
    service.
    """
    from coinfarm.models.promotion import promote as promote_version
    from coinfarm.models.store import open_model_root

    if force != bool(reason):
        raise click.UsageError("--force and --reason TEXT go together")
    click.echo(promote_version(open_model_root(root), version, note=note, force_reason=reason).version)


@model.command(epilog="Example: coinfarm model rollback build/models --note 'worse on ETH'")
@_ROOT
@click.option("--note", default="", help="A note for the history.")
def rollback(root: str, note: str) -> None:
    """Put the previous version back in service."""
    from coinfarm.models.pointer import rollback as roll_back
    from coinfarm.models.store import open_model_root

    click.echo(roll_back(open_model_root(root), note=note).version)


def _json_object(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise click.ClickException(f"{path} is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise click.ClickException(f"{path} is not an evaluation: pass the output of coinfarm evaluate --json")
    return document


def _compile(bundle: "Bundle", folder: Path, candles: tuple[Path, ...], max_bytes: int | None) -> "Bundle":
    from coinfarm.cli.compilation_table import forms_table
    from coinfarm.compilation.compile import compile_bundle
    from coinfarm.compilation.sample import Sample

    if not candles:
        click.echo("Without --candles, the compiled forms are calibrated and compared on synthetic candles.", err=True)
    sample = Sample.from_files(candles) if candles else Sample.from_synthetic()
    compilation = compile_bundle(bundle, folder, sample, max_bytes=max_bytes, progress=lambda step: click.echo(f"{step} …", err=True))
    print_tables(forms_table(compilation), to_stderr=True)
    if not compilation.bundle.manifest.engines.forms:
        click.echo("Warning: no compiled form was kept, so Keras serves this model. It needs coinfarm[keras], and is slower.", err=True)
    return compilation.bundle
