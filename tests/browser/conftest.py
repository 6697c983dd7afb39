"""Chromium without access to the internet, and the page of a running `coinfarm serve` with an exchange stand-in and a live store."""

import subprocess

import pytest

from tests.support.chromium import FLAGS, chromium, executable
from tests.support.fake_exchange import FakeBinanceUs
from tests.support.filled_live_store import filled_live_store
from tests.support.page_actions import CANDLES
from tests.support.served_process import serve_process

DUMP_FLAGS = ["--enable-logging=stderr", "--virtual-time-budget=10000"]
"""The console's messages, and time for scripts to finish before the page is dumped."""


@pytest.fixture(scope="session")
def installed():
    """The path of Chromium."""
    if executable() is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    return executable()


@pytest.fixture(scope="session")
def browse(installed, tmp_path_factory):
    """Returns a function that opens a URL in Chromium and returns its output and log."""

    def browse(url, *flags):
        command = [installed, *FLAGS, *DUMP_FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}", *flags, url]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)

    return browse


@pytest.fixture(scope="module")
def running_browser(installed, tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def browser(running_browser):
    yield running_browser
    running_browser.close_pages()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return filled_live_store(tmp_path_factory.mktemp("store"), CANDLES, 300)


@pytest.fixture(scope="module")
def server(store, tmp_path_factory):
    log = tmp_path_factory.mktemp("serve") / "log"
    with FakeBinanceUs.running() as exchange:
        options = ["--store", store.root, "--exchange", "binanceus", "--exchange-url", exchange.url]
        with serve_process(log, *options) as url:
            yield url


@pytest.fixture
def page(browser, server):
    """The page, which must have logged nothing and asked no other host at the end."""
    page = browser.page(server)
    page.wait_for("document.documentElement.dataset.state === 'ready'")
    yield page
    assert page.console == []
    assert page.hosts - {""} == {server.removeprefix("http://")}
