import tomllib

import pytest

from images.requirements import openvino_has_wheel, requirements
from tests.support.repository import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def names(target: str, extras: list[str], with_openvino: bool = True) -> set[str]:
    return {each.partition(">")[0].partition("[")[0] for each in requirements(PROJECT, target, extras, with_openvino)}


def test_lambda_installs_keras_and_tracing() -> None:
    assert {"tensorflow", "tensorflow-cpu", "keras", "openvino", "pyarrow", "boto3", "aws-xray-sdk"} <= names("lambda", [])


@pytest.mark.parametrize(("extras", "required"), [(["gpu"], {"jax", "keras", "openvino"}), ([], {"keras"})], ids=["CUDA", "no CUDA"])
def test_the_gpu_worker_installs_no_tensorflow(extras: list[str], required: set[str]) -> None:
    found = names("gpu", extras)
    assert required <= found
    assert not {"tensorflow", "tensorflow-cpu", "aws-xray-sdk"} & found


def test_only_openvino_is_excluded_if_it_has_no_wheel() -> None:
    assert names("lambda", []) - names("lambda", [], with_openvino=False) == {"openvino"}


def test_rejects_an_unknown_extra() -> None:
    with pytest.raises(KeyError, match="cuda"):
        names("gpu", ["cuda"])


@pytest.mark.parametrize(
    ("machine", "glibc", "has_one"),
    [
        pytest.param("x86_64", (2, 34), True, id="x86-64 on Amazon Linux 2023"),
        pytest.param("aarch64", (2, 34), False, id="arm64 on Amazon Linux 2023"),
        pytest.param("aarch64", (2, 36), True, id="arm64 on Debian"),
    ],
)
def test_openvino_has_wheels_for_some_machines(machine: str, glibc: tuple[int, ...], has_one: bool) -> None:
    assert openvino_has_wheel(machine, glibc) == has_one
