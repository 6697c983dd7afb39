"""Tools that scan images, installed in an environment of their own from .ci/tools/images.txt."""

import subprocess
from pathlib import Path

import click

from images.docker import ROOT

FOLDER = ROOT / "build/scanners"
"""The environment that `make scanners` creates."""


def run_scanner(name: str, *arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a tool, whatever its exit code. Raises `click.ClickException` if it is not installed."""
    command = FOLDER / "bin" / name
    if not command.exists():
        raise click.ClickException(f"{name} is not installed: run make scanners")
    return subprocess.run([command, *arguments], cwd=ROOT, input=stdin, capture_output=True, text=True)
