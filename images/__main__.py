"""`python -m images`: builds the images and inspects them."""

import tempfile
from pathlib import Path

import click

from images.docker import ROOT, Docker
from images.installed import copy_package_metadata
from images.requirements import TARGETS
from images.sbom import write_sbom
from images.size import compressed_mb, measure
from images.vulnerabilities import audit
from images.wheels import MACHINES, resolve_wheels

SBOM_FOLDER = ROOT / "build/sbom"

_target = click.argument("targets", nargs=-1, type=click.Choice(sorted(TARGETS)))


@click.group()
def images() -> None:
    """Build the images of the Dockerfile, and inspect them."""


@images.command(context_settings={"ignore_unknown_options": True})
@click.argument("target", type=click.Choice(sorted(TARGETS)))
@click.argument("flags", nargs=-1, type=click.UNPROCESSED)
@click.option("--compressed", is_flag=True, help="Also print the compressed size, as in a registry; takes half a minute per gigabyte.")
def build(target: str, flags: tuple[str, ...], compressed: bool) -> None:
    """Build coinfarm:TARGET with FLAGS for docker, print its size, and fail if it is too large."""
    docker, tag, base = Docker(), f"coinfarm:{target}", f"coinfarm:{target}-base"
    docker.build(f"{target}-base", base, *flags)
    docker.build(target, tag, *flags)
    size = measure(docker, tag, base)
    in_registry = f", {compressed_mb(docker, tag):.0f} MB compressed" if compressed else ""
    click.echo(f"{tag}: {size.total_mb:.0f} MB, {size.added_mb:.0f} MB more than its base{in_registry}")
    size.check(target)


@images.command()
@_target
def scan(targets: tuple[str, ...]) -> None:
    """Write the software bill of materials of coinfarm:TARGET … to build/sbom, and check for known vulnerabilities."""
    SBOM_FOLDER.mkdir(parents=True, exist_ok=True)
    for target in targets:
        with tempfile.TemporaryDirectory() as folder:
            packages = copy_package_metadata(Docker(), f"coinfarm:{target}", Path(folder))
            write_sbom(Path(folder), SBOM_FOLDER / f"{target}.json")
            click.echo(f"{target}: build/sbom/{target}.json; {audit(packages).check()}")


@images.command()
@_target
def wheels(targets: tuple[str, ...]) -> None:
    """Check that the package index has a wheel of every package of TARGET …, for each CPU architecture."""
    for target in targets:
        for machine in MACHINES:
            pinned = resolve_wheels(target, machine, ("gpu",) if target == "gpu" else ())
            openvino = "" if any(each.startswith("openvino==") for each in pinned) else "; no OpenVINO wheel: the image runs Keras"
            click.echo(f"{target} on {machine}: {len(pinned)} wheels{openvino}")


if __name__ == "__main__":
    images()
