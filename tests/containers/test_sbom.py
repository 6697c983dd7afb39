"""The software bill of materials of an image, and its known vulnerabilities."""

import json

import pytest

from images.docker import Docker
from images.installed import copy_package_metadata
from images.sbom import write_sbom
from images.vulnerabilities import audit

pytestmark = [pytest.mark.docker, pytest.mark.enable_socket]


@pytest.fixture(scope="module", params=["lambda", "gpu"])
def image(request):
    return (
        request.getfixturevalue("deployment").images["ApiFunction"]
        if request.param == "lambda"
        else request.getfixturevalue("worker_image")
    )


@pytest.fixture
def packages(environment, image, tmp_path):
    return copy_package_metadata(Docker(environment), image, tmp_path / "environment")


def test_sbom_lists_the_installed_packages(environment, image, packages, tmp_path):
    write_sbom(tmp_path / "environment", tmp_path / "sbom.json")
    sbom = json.loads((tmp_path / "sbom.json").read_text())
    code = "import importlib.metadata as m, json; print(json.dumps({each.metadata['Name']: each.version for each in m.distributions()}))"
    installed = json.loads(Docker(environment).run_python(image, code))
    assert {each["name"]: each["version"] for each in sbom["components"]} == installed
    assert "keras" in installed
    assert (sbom["bomFormat"], sbom["metadata"]["component"]["name"]) == ("CycloneDX", "coinfarm")
    assert all(each.get("licenses") for each in sbom["components"] if each["name"] in ("numpy", "openvino", "pyarrow"))


def test_packages_have_no_known_vulnerabilities(packages):
    result = audit(packages)
    message = result.check()
    if not result.audited:
        pytest.skip(message)
