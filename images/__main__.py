"""`python -m images`: builds the images, and looks at what is in them."""

import tempfile
from pathlib import Path

import click

from images.audit import audit
from images.bill import write_bill
from images.docker import ROOT, Docker
from images.installed import copy_out
from images.requirements import TARGETS
from images.size import compressed_mb, measure
from images.wheels import MACHINES, resolve

BILLS = ROOT / "build/sbom"

_target = click.argument("targets", nargs=-1, type=click.Choice(sorted(TARGETS)))


@click.group()
def images() -> None:
    """Build the images of the Dockerfile, and look at what is in them."""


@images.command(context_settings={"ignore_unknown_options": True})
@click.argument("target", type=click.Choice(sorted(TARGETS)))
@click.argument("flags", nargs=-1, type=click.UNPROCESSED)
@click.option("--compressed", is_flag=True, help="Tell the size in a registry too; half a minute a gigabyte.")
def build(target: str, flags: tuple[str, ...], compressed: bool) -> None:
    """Build coinfarm:TARGET, with FLAGS for docker, print its size, and fail where it is too large."""
    docker, tag, base = Docker(), f"coinfarm:{target}", f"coinfarm:{target}-base"
    docker.build(f"{target}-base", base, *flags)
    docker.build(target, tag, *flags)
    size = measure(docker, tag, base)
    in_registry = f", {compressed_mb(docker, tag):.0f} MB compressed" if compressed else ""
    click.echo(f"{tag}: {size.total_mb:.0f} MB, {size.added_mb:.0f} of them added to its base{in_registry}")
    size.check(target)


@images.command()
@_target
def scan(targets: tuple[str, ...]) -> None:
    """Write the bill of materials of coinfarm:TARGET … to build/sbom, and ask for known vulnerabilities."""
    BILLS.mkdir(parents=True, exist_ok=True)
    for target in targets:
        with tempfile.TemporaryDirectory() as folder:
            packages = copy_out(Docker(), f"coinfarm:{target}", Path(folder))
            write_bill(Path(folder), BILLS / f"{target}.json")
            click.echo(f"{target}: build/sbom/{target}.json; {audit(packages).check()}")


@images.command()
@_target
def wheels(targets: tuple[str, ...]) -> None:
    """Ask the package index for a wheel of every package of TARGET …, for each processor."""
    for target in targets:
        for machine in MACHINES:
            found = resolve(target, machine, ("gpu",) if target == "gpu" else ())
            without = "" if any(each.startswith("openvino==") for each in found) else "; none of OpenVINO: Keras serves"
            click.echo(f"{target} on {machine}: {len(found)} wheels{without}")


if __name__ == "__main__":
    images()
