"""Whether every package that an image installs has a wheel, for x86-64 and for arm64: no image has a compiler."""

import tomllib

import click

from images.docker import ROOT
from images.requirements import has_openvino, requirements
from images.scanners import scan

_PYTHON = "3.12"
_GLIBC = {"lambda": (2, 34), "gpu": (2, 40)}
"""Of Amazon Linux 2023, and at least that of the Debian in Docker's Python images."""
MACHINES = ("x86_64", "aarch64")


def resolve(target: str, machine: str, extras: tuple[str, ...]) -> list[str]:
    """The pinned packages, as the package index has wheels for them. Raises `click.ClickException` where one has none."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    major, minor = _GLIBC[target]
    asked = requirements(project, target, list(extras), has_openvino(machine, _GLIBC[target]))
    platform = ("--python-version", _PYTHON, "--python-platform", f"{machine}-manylinux_{major}_{minor}")
    output = ("--no-header", "--no-annotate", "--quiet")
    found = scan(
        "uv", "pip", "compile", "--only-binary", ":all:", "--constraint", "constraints.txt", *platform, *output, "-", given="\n".join(asked)
    )
    if found.returncode:
        raise click.ClickException(f"{target} on {machine}: {found.stderr.strip()}")
    return found.stdout.split()
