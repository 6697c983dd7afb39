"""The page of the API's documentation, in Chromium with access only to the local server."""

import json
import re
import socket
import subprocess
import sys
import time

import pytest

from handler.committed_openapi import openapi_json

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The URL of a running `coinfarm serve`."""
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
def page(server, browse):
    return browse(f"{server}/docs", "--dump-dom")


def test_page_shows_every_route(page):
    rows = re.findall(r'opblock-summary-method">(\w+)<.*?data-path="([^"]+)"', page.stdout)
    documented = {(method.upper(), path) for path, operations in json.loads(openapi_json())["paths"].items() for method in operations}
    assert set(rows) == documented


def test_console_has_no_messages(page):
    assert [line for line in page.stderr.splitlines() if "CONSOLE" in line] == []


def test_requests_go_to_the_server_of_the_page(server, page):
    assert re.findall(r'<option value="(http[^"]+)"', page.stdout) == [server]


def test_no_route_has_a_lock(page):
    """The server requires no key."""
    rendered = page.stdout.partition('<div id="api">')[2].partition("<script>")[0]
    assert "opblock-summary-method" in rendered
    assert "authorization__btn" not in rendered


ROUTES = sorted((method, path) for path, operations in json.loads(openapi_json())["paths"].items() for method in operations)


def section(method, path):
    return f'.opblock-{method}:has([data-path="{path}"])'


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=[" ".join(route) for route in ROUTES])
def test_try_it_out_works_as_it_stands(browser, server, method, path):
    """Three clicks, and nothing typed."""
    tab = browser.page(f"{server}/docs", height=3000)
    block = section(method, path)
    for button in (".opblock-summary-control", ".try-out__btn", ".execute"):
        tab.wait_for(f"document.querySelector('{block} {button}')")
        tab.evaluate(f"document.querySelector('{block} {button}').click()")
    tab.wait_for(f"document.querySelector('{block} .live-responses-table .response-col_status')")
    assert tab.text(f"{block} .live-responses-table .response .response-col_status").startswith("200")
