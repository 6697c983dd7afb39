"""`python requirements.py lambda`, or `gpu EXTRA …`: the requirements that an image installs, one per line, in pip's format.

The Dockerfile runs it in a separate stage with the base's Python, so that other changes of pyproject.toml keep the layer cached.
"""

import platform
import sys
import tomllib
from pathlib import Path
from typing import Any

TARGETS = {"lambda": ("keras", "live", "tracing"), "gpu": ("keras", "serve")}
"""Target → the extras that it always has."""


def requirements(project: dict[str, Any], target: str, extras: list[str], has_openvino: bool) -> list[str]:
    """The requirements of a target, from the `project` table of pyproject.toml, with further extras."""
    excluded = [] if has_openvino else ["openvino"]
    if target == "gpu":
        excluded.append("tensorflow")  # Keras runs on JAX there; TensorFlow would add an unused gigabyte
    optional = (each for extra in [*TARGETS[target], *extras] for each in project["optional-dependencies"][extra])
    return [each for each in dict.fromkeys([*project["dependencies"], *optional]) if not each.startswith(tuple(excluded))]


def openvino_has_wheel(machine: str, glibc: tuple[int, ...]) -> bool:
    """Whether OpenVINO has a wheel for the machine. Its wheel for arm64 needs a newer glibc than the 2.34 of Lambda's base image, where
    Keras is used instead.
    """
    return machine != "aarch64" or glibc >= (2, 35)


def main(target: str, *extras: str) -> None:
    """Print the requirements for this machine."""
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    glibc = tuple(int(part) for part in platform.libc_ver()[1].split("."))
    print(*requirements(project, target, list(extras), openvino_has_wheel(platform.machine(), glibc)), sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
