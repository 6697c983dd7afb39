"""Fixtures: the distributions, built from a copy of this checkout, and the wheel installed outside of a checkout."""

import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.repository import ROOT, repository_files

BIN = Path(sys.executable).parent
MAKE = ("make", "READY=", f"BIN={BIN}")
"""make with the environment that runs the tests."""


@dataclass(frozen=True)
class Distributions:
    """A copy of the checkout's files, and the output of `make dist` in it."""

    checkout: Path
    files: frozenset[str]
    wheel: Path
    source: Path


@dataclass(frozen=True)
class Environment:
    """A virtual environment without this checkout."""

    python: Path
    site_packages: Path

    @classmethod
    def in_folder(cls, folder: Path) -> "Environment":
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        (site_packages,) = folder.glob("lib/python*/site-packages")
        return cls(folder / "bin/python", site_packages)

    def run(self, *command: str, folder: Path) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment in a folder."""
        program = self.python.parent / command[0]
        return subprocess.run([program, *command[1:]], cwd=folder, env=bare(folder), capture_output=True, text=True, check=False)


def bare(home: Path) -> dict[str, str]:
    """The environment variables without settings of pip, Python and twine."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON", "TWINE_", "MAKE"))}
    return inherited | {"HOME": str(home), "PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    files, checkout = frozenset(repository_files()), tmp_path_factory.mktemp("checkout")
    for name in files:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, checkout / name)
    environment = bare(checkout.parent) | {"SOURCE_DATE_EPOCH": "1767225600"}
    built = subprocess.run([*MAKE, "dist"], cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,), (source,) = checkout.glob("dist/*.whl"), checkout.glob("dist/*.tar.gz")
    return Distributions(checkout, files, wheel, source)


@pytest.fixture
def empty(tmp_path: Path) -> Environment:
    """An environment without packages."""
    return Environment.in_folder(tmp_path / "environment")


@pytest.fixture(scope="session")
def installed(distributions: Distributions, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the wheel, and access to the libraries of the tests."""
    environment = Environment.in_folder(tmp_path_factory.mktemp("installed"))
    # Python does not read .pth files in this path, so the editable installation of the checkout has no effect.
    (environment.site_packages / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    command = [BIN / "python", "-m", "pip", "--python", environment.python, "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*command, distributions.wheel], env=bare(environment.site_packages), check=True)
    return environment
