"""What `make dist` makes: all that belongs in a wheel and in a source distribution, and nothing else."""

import subprocess
import tarfile
import zipfile
from email.message import EmailMessage
from email.parser import Parser
from pathlib import Path

import pytest

from tests.packages.conftest import BIN, ROOT, Distributions, bare

PACKAGES = ("coinfarm", "handler", "image_render")
CARE_OF_INSTALLERS = ".dist-info/"


@pytest.fixture(scope="module")
def wheel_files(distributions: Distributions) -> set[str]:
    with zipfile.ZipFile(distributions.wheel) as wheel:
        return {name for name in wheel.namelist() if CARE_OF_INSTALLERS not in name}


@pytest.fixture(scope="module")
def metadata(distributions: Distributions) -> EmailMessage:
    with zipfile.ZipFile(distributions.wheel) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(wheel.read(name).decode())


def test_the_wheel_holds_the_three_packages_whole_and_nothing_else(distributions: Distributions, wheel_files: set[str]) -> None:
    assert wheel_files == {name for name in distributions.files if name.split("/")[0] in PACKAGES}


@pytest.mark.parametrize(
    "name",
    [*(f"{package}/py.typed" for package in PACKAGES), "handler/openapi.json", "coinfarm/reference_model/current.json"],
)
def test_the_wheel_holds_what_no_import_would_miss(wheel_files: set[str], name: str) -> None:
    assert name in wheel_files


def test_the_source_distribution_holds_what_the_repository_does(distributions: Distributions) -> None:
    with tarfile.open(distributions.source) as source:
        held = {name.split("/", 1)[1] for name in source.getnames() if not source.getmember(name).isdir()}
    made = {name for name in held if ".egg-info/" in name} | {"PKG-INFO", "setup.cfg"}
    assert held - made == distributions.files, "name what is missing in MANIFEST.in"


def test_the_wheel_that_the_source_distribution_makes_is_the_same_byte_for_byte(distributions: Distributions, tmp_path: Path) -> None:
    with tarfile.open(distributions.source) as source:
        source.extractall(tmp_path, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))  # from Python 3.11.4 on
    (unpacked,) = tmp_path.iterdir()
    environment = bare(tmp_path) | {"SOURCE_DATE_EPOCH": "1767225600"}
    command = [BIN / "python", "-m", "build", "--no-isolation", "--wheel"]
    subprocess.run(command, cwd=unpacked, env=environment, capture_output=True, check=True)
    assert (unpacked / "dist" / distributions.wheel.name).read_bytes() == distributions.wheel.read_bytes()


def test_the_metadata_say_what_it_is(metadata: EmailMessage) -> None:
    assert metadata["Name"] == "coinfarm"
    assert metadata["License-Expression"] == "MIT"
    assert metadata["License-File"] == "LICENSE"
    assert metadata["Author"] == "Coinfarm developers"
    assert metadata["Requires-Python"] == ">=3.11"
    assert "Typing :: Typed" in metadata.get_all("Classifier", [])
    assert metadata["Description-Content-Type"] == "text/markdown"


def test_the_changelog_tells_of_this_version(metadata: EmailMessage) -> None:
    newest = next(line for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line.startswith("## "))
    assert newest.startswith(f"## [{metadata['Version']}] - ")
