"""HTTP requests to `sam local start-api`, whose routes come from handler/api_gateway.json."""

import json
import signal
import socket
import subprocess
import time
from functools import partial
from http.client import HTTPConnection

import pytest

from tests.support.demo_requests import demo_request

pytestmark = [pytest.mark.docker, pytest.mark.enable_socket]


@pytest.fixture(scope="module")
def api(deployment, tmp_path_factory):
    """The address of the API on this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = probe.getsockname()
    log = tmp_path_factory.mktemp("api") / "start-api.log"
    command = ["sam", "local", "start-api", "--template", deployment.template, "--port", str(address[1]), "--warm-containers", "LAZY"]
    # Commands of a background job ignore SIGINT unless it is restored.
    restore_sigint = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with (
        log.open("w") as output,
        subprocess.Popen(command, env=deployment.environment, stdout=output, stderr=output, preexec_fn=restore_sigint) as server,
    ):
        try:
            wait_for(address, server, log)
            yield address
        finally:
            server.send_signal(signal.SIGINT)  # after SIGINT, sam removes its container


def wait_for(address, server, log):
    for _ in range(120):
        with socket.socket() as client:
            if client.connect_ex(address) == 0:
                return
        assert server.poll() is None, log.read_text()
        time.sleep(0.5)
    pytest.fail(f"start-api did not listen within a minute\n{log.read_text()}")


def send(api, method, path, body=None, **headers):
    connection = HTTPConnection(*api, timeout=120)
    connection.request(method, path, body and json.dumps(body), {"Content-Type": "application/json", **headers})
    response = connection.getresponse()
    content = response.read()
    connection.close()
    assert response.status == 200, content
    return content


def test_health(api):
    assert json.loads(send(api, "GET", "/health"))


def test_predictions(api):
    assert len(json.loads(send(api, "POST", "/predictions", demo_request(210)))["results"]) == 11


def test_frame_as_png(api):
    assert send(api, "POST", "/frames", demo_request(200), Accept="image/png").startswith(b"\x89PNG")
