"""The distributions, built from a copy of this checkout, and the wheel installed where no checkout is."""

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
"""With the environment that runs the tests, which is ready."""


@dataclass(frozen=True)
class Distributions:
    """A copy of the checkout's files, and what `make dist` made of it."""

    checkout: Path
    files: frozenset[str]
    wheel: Path
    source: Path


@dataclass(frozen=True)
class Environment:
    """An environment without this checkout."""

    python: Path
    site_packages: Path

    def run(self, *command: str, folder: Path) -> subprocess.CompletedProcess[str]:
        """A command of the environment, in a folder."""
        program = self.python.parent / command[0]
        return subprocess.run([program, *command[1:]], cwd=folder, env=bare(folder), capture_output=True, text=True, check=False)


def bare(home: Path) -> dict[str, str]:
    """An environment without settings for pip, Python or AWS, but for the AWS that nobody can reach by mistake."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON", "TWINE_", "MAKE"))}
    return kept | {"HOME": str(home), "PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    files, checkout = frozenset(repository_files()), tmp_path_factory.mktemp("checkout")
    for name in files:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, checkout / name)
    environment = bare(checkout.parent) | {"SOURCE_DATE_EPOCH": "1767225600"}
    made = subprocess.run([*MAKE, "dist"], cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    (wheel,), (source,) = checkout.glob("dist/*.whl"), checkout.glob("dist/*.tar.gz")
    return Distributions(checkout, files, wheel, source)


@pytest.fixture
def empty(tmp_path: Path) -> Environment:
    """With nothing in it."""
    return environment_in(tmp_path / "environment")


@pytest.fixture(scope="session")
def installed(distributions: Distributions, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """With the wheel, and a view of the libraries that the tests run with."""
    environment = environment_in(tmp_path_factory.mktemp("installed"))
    # A path named here is searched, and its own .pth files, with which the checkout is installed, are not read.
    (environment.site_packages / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    command = [BIN / "python", "-m", "pip", "--python", environment.python, "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*command, distributions.wheel], env=bare(environment.site_packages), check=True)
    return environment


def environment_in(folder: Path) -> Environment:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (site_packages,) = folder.glob("lib/python*/site-packages")
    return Environment(folder / "bin/python", site_packages)
