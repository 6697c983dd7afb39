"""`python requirements.py lambda`, or `gpu EXTRA …`: what an image installs, one requirement a line, as pip reads it.

The Dockerfile runs it in a stage of its own with the base's Python: another edit of pyproject.toml leaves the heavy layer cached.
"""

import platform
import sys
import tomllib
from pathlib import Path
from typing import Any

TARGETS = {"lambda": ("keras", "tracing"), "gpu": ("keras",)}
"""The extras that a target always has."""


def requirements(project: dict[str, Any], target: str, extras: list[str], has_openvino: bool) -> list[str]:
    """What the target installs of the `project` table of pyproject.toml, with those extras."""
    left_out = [] if has_openvino else ["openvino"]
    if target == "gpu":
        left_out.append("tensorflow")  # Keras runs on JAX there: a gigabyte would lie idle
    optional = (each for extra in [*TARGETS[target], *extras] for each in project["optional-dependencies"][extra])
    return [each for each in dict.fromkeys([*project["dependencies"], *optional]) if not each.startswith(tuple(left_out))]


def has_openvino(machine: str, glibc: tuple[int, ...]) -> bool:
    """Whether OpenVINO has a wheel for the machine. That for arm64 asks for a newer glibc than Amazon Linux 2023 of Lambda's base has,
    2.34: there Keras serves.
    """
    return machine != "aarch64" or glibc >= (2, 35)


def main(target: str, *extras: str) -> None:
    """Print them, for the machine that this runs on."""
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    glibc = tuple(int(part) for part in platform.libc_ver()[1].split("."))
    print(*requirements(project, target, list(extras), has_openvino(platform.machine(), glibc)), sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
