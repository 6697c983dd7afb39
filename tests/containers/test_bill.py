"""What is told of an image's packages: the bill of materials, and known vulnerabilities."""

import json

import pytest

from images.audit import audit
from images.bill import write_bill
from images.docker import Docker
from images.installed import copy_out

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
    return copy_out(Docker(environment), image, tmp_path / "environment")


def test_the_bill_names_what_is_installed_in_the_image(environment, image, packages, tmp_path):
    write_bill(tmp_path / "environment", tmp_path / "bill.json")
    bill = json.loads((tmp_path / "bill.json").read_text())
    code = "import importlib.metadata as m, json; print(json.dumps({each.metadata['Name']: each.version for each in m.distributions()}))"
    installed = json.loads(Docker(environment).run_python(image, code))
    assert {each["name"]: each["version"] for each in bill["components"]} == installed
    assert "keras" in installed
    assert (bill["bomFormat"], bill["metadata"]["component"]["name"]) == ("CycloneDX", "coinfarm")
    assert all(each.get("licenses") for each in bill["components"] if each["name"] in ("numpy", "openvino", "pyarrow"))


def test_no_package_of_the_image_has_a_known_vulnerability(packages):
    found = audit(packages)
    told = found.check()
    if not found.audited:
        pytest.skip(told)
