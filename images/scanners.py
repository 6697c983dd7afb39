"""The tools that look at images, in an environment of their own: .ci/tools/images.txt names them."""

import subprocess
from pathlib import Path

import click

from images.docker import ROOT

FOLDER = ROOT / "build/scanners"
"""Where `make scanners` puts them."""


def scan(name: str, *arguments: str | Path, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run one of them, with `given` as its input; whatever it ends with. Raises `click.ClickException` where it is not installed."""
    command = FOLDER / "bin" / name
    if not command.exists():
        raise click.ClickException(f"{name} is not installed: make scanners")
    return subprocess.run([command, *arguments], cwd=ROOT, input=given, capture_output=True, text=True)
