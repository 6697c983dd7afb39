"""The engine in a container with a CPU limit: OpenVINO would start a thread for each core of the machine."""

import json

import pytest

from coinfarm.engines.cores import machine_cores
from tests.containers.conftest import run

pytestmark = [pytest.mark.docker, pytest.mark.enable_socket]

SCRIPT = """
import json
import numpy as np
from coinfarm.engines.cores import available_cores
from coinfarm.serving.service import Service
from coinfarm.serving.settings import Settings

engine = Service(Settings()).model().engine
engine.predict(np.zeros((50, 200, 150, 3), np.uint8))
compiled = engine._graph._single._request.get_compiled_model()
print(json.dumps({"cores": available_cores(), "threads": compiled.get_property("INFERENCE_NUM_THREADS")}))
"""


def in_container(environment, image, *flags):
    output = run(environment, "docker", "run", "--rm", *flags, "--entrypoint", "python3", image, "-c", SCRIPT)
    return json.loads(output.splitlines()[-1])


@pytest.mark.parametrize("cpus", ["1", "0.5"])
def test_threads_follow_the_limit(environment, worker_image, cpus):
    assert in_container(environment, worker_image, f"--cpus={cpus}") == {"cores": 1, "threads": 1}


def test_without_a_limit_all_cores_are_used(environment, worker_image):
    assert in_container(environment, worker_image)["cores"] == machine_cores()
