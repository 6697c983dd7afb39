import tomllib

import pytest

from images.requirements import openvino_has_wheel, requirements
from tests.support.repository import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def names(target, extras, with_openvino=True):
    return {each.partition(">")[0].partition("[")[0] for each in requirements(PROJECT, target, extras, with_openvino)}


def test_lambda_installs_keras_tracing_and_the_client_of_exchanges():
    found = names("lambda", [])
    assert {"tensorflow", "tensorflow-cpu", "keras", "openvino", "pyarrow", "boto3", "aws-xray-sdk", "ccxt"} <= found
    assert found - names("lambda", [], with_openvino=False) == {"openvino"}


@pytest.mark.parametrize(
    ("extras", "required"),
    [(["gpu"], {"jax", "keras", "openvino", "prometheus_client"}), ([], {"keras", "prometheus_client"})],
    ids=["CUDA", "no CUDA"],
)
def test_the_gpu_worker_installs_no_tensorflow(extras, required):
    found = names("gpu", extras)
    assert required <= found
    assert not {"tensorflow", "tensorflow-cpu", "aws-xray-sdk", "ccxt"} & found


def test_rejects_an_unknown_extra():
    with pytest.raises(KeyError, match="cuda"):
        names("gpu", ["cuda"])


@pytest.mark.parametrize(
    ("machine", "glibc", "has_one"),
    [("x86_64", (2, 34), True), ("aarch64", (2, 34), False), ("aarch64", (2, 36), True)],
    ids=["x86-64 on Amazon Linux 2023", "arm64 on Amazon Linux 2023", "arm64 on Debian"],
)
def test_openvino_has_wheels_for_some_machines(machine, glibc, has_one):
    assert openvino_has_wheel(machine, glibc) == has_one
