"""What is in the image, and what is not."""

import json

import pytest

pytestmark = [pytest.mark.docker, pytest.mark.enable_socket]


def python_in_image(deployment, code):
    image = deployment.images["ApiFunction"]
    return json.loads(deployment.run("docker", "run", "--rm", "--entrypoint", "python3", image, "-c", code))


def test_the_image_holds_the_packages_and_nothing_else_of_the_checkout(deployment):
    assert python_in_image(deployment, "import json, os; print(json.dumps(sorted(os.listdir())))") == [
        "coinfarm",
        "handler",
        "image_render",
    ]


def test_importing_the_handler_loads_nothing_heavy(deployment):
    code = "import json, sys, handler.app; print(json.dumps(sorted(sys.modules)))"
    loaded = set(python_in_image(deployment, code))
    assert not loaded & {"tensorflow", "keras", "pandas", "pyarrow", "matplotlib"}


def test_both_functions_run_the_same_image(deployment):
    assert deployment.images["ApiFunction"] == deployment.images["BatchFunction"]
