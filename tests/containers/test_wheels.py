"""The images for Graviton cannot be built here; check that every package has a wheel."""

import pytest

from images.wheels import resolve_wheels

pytestmark = [pytest.mark.docker, pytest.mark.enable_socket]


@pytest.mark.parametrize(
    ("target", "extras", "engines"),
    [
        pytest.param("lambda", (), {"tensorflow"}, id="lambda"),
        pytest.param("gpu", ("gpu",), {"openvino", "jax-cuda12-plugin"}, id="gpu"),
    ],
)
def test_every_package_has_a_wheel_for_arm64(target, extras, engines):
    names = {each.partition("==")[0] for each in resolve_wheels(target, "aarch64", extras)}
    assert names & {"tensorflow", "tensorflow-cpu", "openvino", "jax-cuda12-plugin"} == engines
