"""`coinfarm model list`, `history`, `show`, `card`, `promote` and `rollback`: the versions under a model root, and the one in service."""

import json
from pathlib import Path

import click

from coinfarm.cli.paths import FILE_TO_WRITE, ROOT
from coinfarm.cli.tables import print_tables


def _one_root(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> str:
    if len(given) != 1:
        raise click.UsageError("pass one ROOT, or use a stack: coinfarm --stack NAME model …")
    return given[0]


_ROOT = click.argument("root", type=ROOT, nargs=-1, metavar="[ROOT]", callback=_one_root)
"""Optional with --stack, although another argument follows it: so click accepts any number, and the callback checks it."""


@click.command("list", epilog="Example: coinfarm model list build/models")
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


@click.command(epilog="Example: coinfarm model history build/models")
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


@click.command(epilog="Example: coinfarm model show coinfarm/reference_model 20261127-d77950f8")
@_ROOT
@click.argument("version")
def show(root: str, version: str) -> None:
    """Print the manifest of VERSION as JSON."""
    from coinfarm.models.store import ModelStore, open_model_root

    click.echo(ModelStore(open_model_root(root)).manifest(version).to_json().decode(), nl=False)


@click.command(epilog="Example: coinfarm model card coinfarm/reference_model 20261127-d77950f8 -o build/card.md")
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


@click.command(epilog='Example: coinfarm model promote build/models "$version"')
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


@click.command(epilog="Example: coinfarm model rollback build/models --note 'worse on ETH'")
@_ROOT
@click.option("--note", default="", help="A note for the history.")
@click.option("--undo", "undoes", is_flag=True, help="Put the version back in service that the last rollback replaced.")
def rollback(root: str, note: str, undoes: bool) -> None:
    """Put the previous version back in service."""
    from coinfarm.models.pointer import rollback as roll_back
    from coinfarm.models.pointer import undo_rollback
    from coinfarm.models.store import open_model_root

    click.echo((undo_rollback if undoes else roll_back)(open_model_root(root), note=note).version)
