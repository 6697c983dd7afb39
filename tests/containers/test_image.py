"""The contents of the functions' image."""

import json

import pytest

from images.docker import Docker
from images.size import measure
from tests.containers.conftest import BASE

pytestmark = [pytest.mark.docker, pytest.mark.enable_socket]

NOT_IN_THE_IMAGE = {"jax", "matplotlib", "moto", "nncf", "prometheus_client", "tensorboard", "uvicorn", "yaml"}
"""Packages of extras that the functions do not need."""


def python_in_image(deployment, code):
    return json.loads(Docker(deployment.environment).run_python(deployment.images["ApiFunction"], code))


def test_image_contains_only_the_packages_of_the_checkout(deployment):
    assert python_in_image(deployment, "import json, os; print(json.dumps(sorted(os.listdir())))") == [
        "coinfarm",
        "handler",
        "image_render",
    ]


def test_image_is_within_its_size_limit(deployment):
    size = measure(Docker(deployment.environment), deployment.images["ApiFunction"], BASE)
    print(f"lambda: {size.total_mb:.0f} MB, {size.added_mb:.0f} MB more than its base")
    size.check("lambda")


def test_image_has_no_installers_compilers_or_tests(deployment):
    code = """
import importlib.util, json, pathlib, shutil, sysconfig
packages = pathlib.Path(sysconfig.get_path("purelib"))
print(json.dumps([
    *(each for each in ("pip", "setuptools", "wheel", "clang", "pytest", "moto") if importlib.util.find_spec(each)),
    *(each for each in ("pip", "gcc", "cc", "make", "ld") if shutil.which(each)),
    *(str(each) for name in ("numpy", "pyarrow", "h5py", "openvino") for each in (packages / name).glob("**/tests")),
    *(str(each) for each in (packages / "keras").glob("**/*_test.py")),
]))
"""
    assert python_in_image(deployment, code) == []


def test_every_module_can_be_imported(deployment):
    code = """
import importlib, json, pkgutil, coinfarm, handler, image_render
missing = {}
for package in coinfarm, handler, image_render:
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + ".", onerror=lambda name: None):
        if not module.name.endswith("__main__"):
            try:
                importlib.import_module(module.name)
            except ImportError as error:
                missing[module.name] = error.name.partition(".")[0] if isinstance(error, ModuleNotFoundError) else repr(error)
print(json.dumps(missing))
"""
    missing = python_in_image(deployment, code)
    assert set(missing.values()) <= NOT_IN_THE_IMAGE, missing
