"""The API's page in a browser that reaches nothing but the server on this machine."""

import json
import re
import shutil
import socket
import subprocess
import sys
import time

import pytest
from PIL import Image

from handler.openapi_file import openapi_json

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # no internet
    "--enable-logging=stderr",
    "--virtual-time-budget=10000",  # for its scripts, before the page is taken
    "--window-size=1200,1600",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of a running `coinfarm serve`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("serve") / "log"
    command = [sys.executable, "-c", "from coinfarm.cli import main; main()", "serve", "--port", str(port)]
    with log.open("w") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            for _ in range(600):
                if "Application startup complete" in log.read_text():
                    break
                assert process.poll() is None, log.read_text()
                time.sleep(0.1)
            else:
                pytest.fail(f"coinfarm serve did not start within a minute\n{log.read_text()}")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def browse(tmp_path_factory):
    """What Chromium makes of an address: the page after its scripts ran, and what it logged."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        pytest.skip("there is no chromium: apt-get install chromium")

    def browse(url, *flags):
        profile = tmp_path_factory.mktemp("profile")
        command = [chromium, *FLAGS, f"--user-data-dir={profile}", *flags, url]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)

    return browse


@pytest.fixture(scope="module")
def shown(server, browse):
    return browse(f"{server}/docs", "--dump-dom")


def test_every_route_is_shown(shown):
    rows = re.findall(r'opblock-summary-method">(\w+)<.*?data-path="([^"]+)"', shown.stdout)
    promised = {(method.upper(), path) for path, operations in json.loads(openapi_json())["paths"].items() for method in operations}
    assert set(rows) == promised


def test_nothing_goes_wrong_in_the_console(shown):
    assert [line for line in shown.stderr.splitlines() if "CONSOLE" in line] == []


def test_requests_are_tried_against_the_server_that_shows_the_page(server, shown):
    assert re.findall(r'<option value="(http[^"]+)"', shown.stdout) == [server]


def test_a_screenshot_shows_more_than_an_empty_page(server, browse, tmp_path):
    picture = tmp_path / "docs.png"
    browse(f"{server}/docs", f"--screenshot={picture}")
    assert len(set(Image.open(picture).convert("L").tobytes())) > 50
