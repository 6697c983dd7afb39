"""What each image installs."""

import tomllib

import pytest

from images.requirements import has_openvino, requirements
from tests.support.repository import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def names(target: str, extras: list[str], with_openvino: bool = True) -> set[str]:
    return {each.partition(">")[0].partition("[")[0] for each in requirements(PROJECT, target, extras, with_openvino)}


def test_lambda_gets_the_dependencies_keras_and_tracing() -> None:
    assert {"tensorflow", "tensorflow-cpu", "keras", "openvino", "pyarrow", "boto3", "aws-xray-sdk"} <= names("lambda", [])


def test_the_gpu_worker_gets_jax_in_place_of_tensorflow() -> None:
    found = names("gpu", ["gpu"])
    assert {"jax", "keras", "openvino"} <= found
    assert not {"tensorflow", "tensorflow-cpu", "aws-xray-sdk"} & found


def test_a_gpu_worker_without_cuda_still_runs_keras() -> None:
    assert "keras" in names("gpu", [])


def test_without_a_wheel_openvino_is_left_out_and_nothing_else() -> None:
    assert names("lambda", []) - names("lambda", [], with_openvino=False) == {"openvino"}


def test_an_extra_that_does_not_exist_ends_the_build() -> None:
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
def test_openvino_is_for_machines_that_it_has_a_wheel_for(machine: str, glibc: tuple[int, ...], has_one: bool) -> None:
    assert has_openvino(machine, glibc) == has_one
