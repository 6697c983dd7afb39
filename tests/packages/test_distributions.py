"""The contents and the metadata of the wheel and the source distribution that `make dist` builds."""

import subprocess
import tarfile
import zipfile
from pathlib import Path

from tests.packages.conftest import BIN, ROOT, Distributions, bare


def test_wheel_contains_exactly_the_packages(distributions: Distributions) -> None:
    with zipfile.ZipFile(distributions.wheel) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == {name for name in distributions.files if name.split("/")[0] in ("coinfarm", "handler", "image_render")}
    assert {"coinfarm/py.typed", "handler/openapi.json", "coinfarm/reference_model/current.json"} <= names


def test_source_distribution_contains_the_repository(distributions: Distributions) -> None:
    with tarfile.open(distributions.source) as source:
        contained = {name.split("/", 1)[1] for name in source.getnames() if not source.getmember(name).isdir()}
    generated = {name for name in contained if ".egg-info/" in name} | {"PKG-INFO", "setup.cfg"}
    left_out = {name for name in distributions.files if name.startswith("benchmarks/bundle_0_1_0/")}
    assert left_out
    assert contained - generated == distributions.files - left_out, "add missing files to MANIFEST.in"


def test_source_distribution_builds_an_identical_wheel(distributions: Distributions, tmp_path: Path) -> None:
    with tarfile.open(distributions.source) as source:
        source.extractall(tmp_path, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))  # from Python 3.11.4 on
    (unpacked,) = tmp_path.iterdir()
    environment = bare(tmp_path) | {"SOURCE_DATE_EPOCH": "1767225600"}
    command = [BIN / "python", "-m", "build", "--no-isolation", "--wheel"]
    subprocess.run(command, cwd=unpacked, env=environment, capture_output=True, check=True)
    assert (unpacked / "dist" / distributions.wheel.name).read_bytes() == distributions.wheel.read_bytes()


def test_changelog_describes_this_version(distributions: Distributions) -> None:
    headings = [line for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line.startswith("## ")]
    newest = next(heading for heading in headings if heading != "## [Unreleased]")
    assert newest.startswith(f"## [{distributions.wheel.name.split('-')[1]}] - ")
