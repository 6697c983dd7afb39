"""The software bill of materials (SBOM) of an image's Python packages, in CycloneDX. System packages are scanned by the registry."""

from pathlib import Path

import click

from images.scanners import run_scanner


def write_sbom(environment: Path, path: Path) -> None:
    """Write the SBOM of an environment that `copy_package_metadata` created, checked against CycloneDX's schema. Reproducible.

    Raises `click.ClickException` with the tool's error.
    """
    flags = ("--pyproject", "pyproject.toml", "--output-reproducible", "--output-format", "JSON", "--validate")
    completed = run_scanner("cyclonedx-py", "environment", environment, *flags, "--output-file", path)
    if completed.returncode:
        raise click.ClickException(f"{path} could not be written: {completed.stderr.strip()}")
