"""Checks that every package of an image has a wheel for x86-64 and arm64, because the images have no compiler."""

import tomllib

import click

from images.docker import ROOT
from images.requirements import openvino_has_wheel, requirements
from images.scanners import run_scanner

_PYTHON = "3.12"
_GLIBC = {"lambda": (2, 34), "gpu": (2, 40)}
"""The glibc version of Amazon Linux 2023, and a minimum for the Debian of Docker's Python images."""
MACHINES = ("x86_64", "aarch64")


def resolve_wheels(target: str, machine: str, extras: tuple[str, ...]) -> list[str]:
    """The pinned requirements of a target, for which the package index has wheels. Raises `click.ClickException` if one has none."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    major, minor = _GLIBC[target]
    required = requirements(project, target, list(extras), openvino_has_wheel(machine, _GLIBC[target]))
    platform = ("--python-version", _PYTHON, "--python-platform", f"{machine}-manylinux_{major}_{minor}")
    output = ("--no-header", "--no-annotate", "--quiet")
    completed = run_scanner(
        "uv",
        "pip",
        "compile",
        "--only-binary",
        ":all:",
        "--constraint",
        "constraints.txt",
        *platform,
        *output,
        "-",
        stdin="\n".join(required),
    )
    if completed.returncode:
        raise click.ClickException(f"{target} on {machine}: {completed.stderr.strip()}")
    return completed.stdout.split()
