"""The bill of materials of an image's Python packages, in CycloneDX. What the base's system holds, the registry's own scan tells."""

from pathlib import Path

import click

from images.scanners import scan


def write_bill(environment: Path, path: Path) -> None:
    """Of an environment that `installed.copy_out` made, checked against CycloneDX' schema. The same packages make the same bytes.

    Raises `click.ClickException` with what the tool says.
    """
    flags = ("--pyproject", "pyproject.toml", "--output-reproducible", "--output-format", "JSON", "--validate")
    done = scan("cyclonedx-py", "environment", environment, *flags, "--output-file", path)
    if done.returncode:
        raise click.ClickException(f"{path} could not be written: {done.stderr.strip()}")
