"""The contents and the metadata of the wheel and the source distribution that `make dist` builds."""

import subprocess
import tarfile
import zipfile
from email.message import EmailMessage
from email.parser import Parser
from pathlib import Path

import pytest

from tests.packages.conftest import BIN, ROOT, Distributions, bare

PACKAGES = ("coinfarm", "handler", "image_render")
DIST_INFO = ".dist-info/"


@pytest.fixture(scope="module")
def wheel_files(distributions: Distributions) -> set[str]:
    with zipfile.ZipFile(distributions.wheel) as wheel:
        return {name for name in wheel.namelist() if DIST_INFO not in name}


@pytest.fixture(scope="module")
def metadata(distributions: Distributions) -> EmailMessage:
    with zipfile.ZipFile(distributions.wheel) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(wheel.read(name).decode())


def test_wheel_contains_exactly_the_packages(distributions: Distributions, wheel_files: set[str]) -> None:
    assert wheel_files == {name for name in distributions.files if name.split("/")[0] in PACKAGES}


@pytest.mark.parametrize(
    "name",
    [*(f"{package}/py.typed" for package in PACKAGES), "handler/openapi.json", "coinfarm/reference_model/current.json"],
)
def test_wheel_contains_data_files(wheel_files: set[str], name: str) -> None:
    assert name in wheel_files


def test_source_distribution_contains_the_repository(distributions: Distributions) -> None:
    with tarfile.open(distributions.source) as source:
        contained = {name.split("/", 1)[1] for name in source.getnames() if not source.getmember(name).isdir()}
    generated = {name for name in contained if ".egg-info/" in name} | {"PKG-INFO", "setup.cfg"}
    assert contained - generated == distributions.files, "add missing files to MANIFEST.in"


def test_source_distribution_builds_an_identical_wheel(distributions: Distributions, tmp_path: Path) -> None:
    with tarfile.open(distributions.source) as source:
        source.extractall(tmp_path, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))  # from Python 3.11.4 on
    (unpacked,) = tmp_path.iterdir()
    environment = bare(tmp_path) | {"SOURCE_DATE_EPOCH": "1767225600"}
    command = [BIN / "python", "-m", "build", "--no-isolation", "--wheel"]
    subprocess.run(command, cwd=unpacked, env=environment, capture_output=True, check=True)
    assert (unpacked / "dist" / distributions.wheel.name).read_bytes() == distributions.wheel.read_bytes()


def test_changelog_describes_this_version(metadata: EmailMessage) -> None:
    headings = [line for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line.startswith("## ")]
    newest = next(heading for heading in headings if heading != "## [Unreleased]")
    assert newest.startswith(f"## [{metadata['Version']}] - ")
