"""`coinfarm model publish`: checks a model, compiles it, and stores it as a new version."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from coinfarm.cli.failures import on_interrupt
from coinfarm.cli.model.interface_options import interface_options, to_interface
from coinfarm.cli.paths import EXISTING_FILE, ROOT_TO_WRITE
from coinfarm.cli.tables import print_tables

if TYPE_CHECKING:
    from coinfarm.compilation.sample import CoinSample
    from coinfarm.models.bundle import Bundle


@click.command(epilog="Example: coinfarm model publish build/tiny --to build/models")
@click.argument("source", type=click.Path(exists=True, path_type=Path), required=False)
@click.option("--to", "root", type=ROOT_TO_WRITE, required=True, help="The model root.  [default: that of coinfarm --stack]")
@click.option("--promote", "promotes", is_flag=True, help="Put it in service at once.")
@click.option("--name", help="The model's name, if it has no manifest.  [default: the file's name]")
@interface_options
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
    help="Real candles to check, compile and compare with, 300,000 or more.  [default: synthetic ones]",
)
@click.option("--allow-mismatch", is_flag=True, help="Publish it although its predictions seem to mean something else than declared.")
@click.option(
    "--evaluation",
    "evaluations",
    type=EXISTING_FILE,
    multiple=True,
    help="An output of coinfarm evaluate --json, to store with the version.",
)
@click.option("--max-mib", type=click.FloatRange(min=0), help="Leave out the slowest compiled forms until the bundle is no larger.")
def publish(
    source: Path | None,
    root: str,
    promotes: bool,
    name: str | None,
    compiles: bool,
    candles: tuple[Path, ...],
    allow_mismatch: bool,
    evaluations: tuple[Path, ...],
    max_mib: float | None,
    **interface: Any,
) -> None:
    """Publish a model as a new version under a model root.

    SOURCE is a bundle from coinfarm train, or a .keras file. It is loaded, run, and compared with what happened after the candles, before
    anything is stored. The options --outputs, --unit, --layout, --pixels, --return-map, --class-index and --member say how a network
    without a manifest was trained. A published version never changes: publishing it again only replaces files that are missing or damaged.
    """
    from tempfile import TemporaryDirectory

    from coinfarm.models.candidate import bundle_to_publish
    from coinfarm.models.evaluations import checked_evaluation
    from coinfarm.models.promotion import promote as promote_version
    from coinfarm.models.publish import publish as publish_bundle
    from coinfarm.models.publish import published_manifest, record_evaluation, repair
    from coinfarm.storage import open_storage

    storage = open_storage(root)
    documents = [_json_object(path) for path in evaluations]
    interruptible = on_interrupt("Nothing was published, unless a version was printed. Run the same command again to start over.")
    with interruptible, TemporaryDirectory() as created, TemporaryDirectory() as compiled:
        members = interface.pop("members")
        bundle = bundle_to_publish(source, Path(created), name=name, interface=to_interface(**interface), members=members)
        version = bundle.manifest.version
        for document in documents:
            checked_evaluation(version, document)  # before any work is done
        published = published_manifest(storage, bundle.manifest)
        if published is not None:
            repaired = repair(storage, published, bundle)
            outcome = f"replaced its damaged files: {', '.join(repaired)}." if repaired else "it stays as it is."
            click.echo(f"{version} is already published under {root}; {outcome}", err=True)
        else:
            coins = _coins(candles)
            _check(bundle, coins, allow_mismatch=allow_mismatch)
            if compiles:
                bundle = _compile(bundle, Path(compiled), coins, None if max_mib is None else int(max_mib * 2**20))
            publish_bundle(storage, bundle)
    click.echo(version)
    for document in documents:
        record_evaluation(storage, version, document)
    if promotes:
        promote_version(storage, version)


def _json_object(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise click.ClickException(f"{path} is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise click.ClickException(f"{path} is not an evaluation: pass the output of coinfarm evaluate --json")
    return document


def _coins(paths: tuple[Path, ...]) -> "CoinSample":
    from coinfarm.compilation.sample import CoinSample

    if not paths:
        click.echo("Without --candles, the model is checked, and its compiled forms are calibrated, on synthetic candles.", err=True)
    return CoinSample.from_files(paths) if paths else CoinSample.synthetic()


def _check(bundle: "Bundle", coins: "CoinSample", *, allow_mismatch: bool) -> None:
    """Load the model, run it, and compare its predictions with what happened."""
    from coinfarm.engines.loading import load_engine
    from coinfarm.errors import ModelError
    from coinfarm.publishing.label_check import check_labels
    from coinfarm.publishing.labelled_frames import LabelledFrames

    click.echo("loading and checking the model …", err=True)
    try:
        engine = load_engine(bundle, "auto" if bundle.manifest.engines.forms else "keras", _BATCH)
        labelled = LabelledFrames.from_candles(coins.coins, bundle.manifest.horizon_candles)
        check = check_labels(bundle, engine, labelled, lambda variant: load_engine(variant, "keras", _BATCH))
    except ModelError as error:
        raise click.ClickException(f"{bundle.manifest.name}: {error}") from None
    if check is None:
        click.echo("The candles are too few to compare its predictions with what happened: pass more with --candles.", err=True)
        return
    click.echo(check.summary(), err=True)
    is_ours = bundle.manifest.training is not None  # coinfarm train knows what it trained
    if check.mismatch and not (allow_mismatch or is_ours):
        raise click.ClickException(f"{bundle.manifest.name}: {check.mismatch}")
    for doubt in (check.mismatch, check.warning):
        if doubt:
            click.echo(f"Warning: {bundle.manifest.name}: {doubt}.", err=True)


def _compile(bundle: "Bundle", folder: Path, coins: "CoinSample", max_bytes: int | None) -> "Bundle":
    from coinfarm.cli.compilation_table import forms_table
    from coinfarm.compilation.compile import compile_bundle
    from coinfarm.compilation.sample import Sample

    sample = Sample.from_candles(coins.coins, coins.names)
    compilation = compile_bundle(bundle, folder, sample, max_bytes=max_bytes, progress=lambda step: click.echo(f"{step} …", err=True))
    print_tables(forms_table(compilation), to_stderr=True)
    if not compilation.bundle.manifest.engines.forms:
        click.echo("Warning: no compiled form was kept, so Keras serves this model. It needs coinfarm[keras], and is slower.", err=True)
    return compilation.bundle


_BATCH = 100
"""Frames at once, which limits the memory."""
