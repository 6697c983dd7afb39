"""What `make scan` does: the bill of materials of an image, its known vulnerabilities, and wheels for arm64."""

import json

import pytest

from images.docker import Docker
from images.installed import copy_package_metadata
from images.sbom import write_sbom
from images.vulnerabilities import audit
from images.wheels import resolve_wheels

pytestmark = [pytest.mark.docker, pytest.mark.enable_socket]


@pytest.fixture(scope="module", params=["lambda", "gpu"])
def image(request):
    if request.param == "gpu":
        return request.getfixturevalue("worker_image")
    return request.getfixturevalue("deployment").images["ApiFunction"]


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


@pytest.mark.parametrize(
    ("target", "extras", "engines"),
    [
        pytest.param("lambda", (), {"tensorflow"}, id="lambda"),
        pytest.param("gpu", ("gpu",), {"openvino", "jax-cuda12-plugin"}, id="gpu"),
    ],
)
def test_every_package_has_a_wheel_for_arm64(target, extras, engines):
    """The images for Graviton cannot be built here."""
    names = {each.partition("==")[0] for each in resolve_wheels(target, "aarch64", extras)}
    assert names & {"tensorflow", "tensorflow-cpu", "openvino", "jax-cuda12-plugin"} == engines
