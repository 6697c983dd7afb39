"""The page as one file, from one origin, with an API of another."""

from contextlib import contextmanager

import pytest

from handler.web.single_file import single_file
from tests.support.http_server import QuietHandler, response, serving
from tests.support.keyed_gateway import KEY, keyed_gateway
from tests.support.page_actions import CHART_HAS_COLOURS, PREDICTED
from tests.support.served_process import serve_process

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]


@contextmanager
def hosted(content):
    """The URL of a server that has only this file."""

    class Host(QuietHandler):
        def do_GET(self):
            response(content, Content_Type="text/html; charset=utf-8")(self)

    with serving(Host) as url:
        yield url


def explain_example(page):
    """Chart the example, and explain its last candle."""
    page.wait_for("document.documentElement.dataset.state === 'ready'")
    page.click("#example")
    page.wait_for(PREDICTED)
    page.wait_for(CHART_HAS_COLOURS)
    page.press("Enter")
    page.wait_for("document.querySelector('.frame')?.naturalWidth")


def test_any_api_and_its_key_may_be_entered(browser, server):
    with keyed_gateway(server) as api, hosted(single_file()) as host:
        page = browser.page(host)
        page.wait_for("document.querySelector('#connection-dialog[open]')")
        for field, text in (("#api-url", api), ("#api-key", KEY)):
            page.click(field)
            page.type(text)
        page.press("Enter")
        explain_example(page)
        assert page.console == []
        assert page.evaluate("JSON.parse(sessionStorage.getItem('coinfarm-connection')).key") == KEY
        assert page.hosts - {""} <= {host.removeprefix("http://"), api.removeprefix("http://").removesuffix("/v1")}


def test_a_server_that_allows_the_origin_needs_no_gateway(browser, tmp_path, monkeypatch):
    monkeypatch.setenv("CORS_ORIGINS", "*")
    with serve_process(tmp_path / "log") as api, hosted(single_file(api)) as host:
        page = browser.page(host)
        page.wait_for("document.querySelector('#connection-dialog[open]')")
        assert page.evaluate("document.getElementById('api-url').value") == api
        page.click("#connection-form button")
        explain_example(page)
        assert page.console == []


def test_an_api_that_cannot_be_asked_is_said(browser):
    with hosted(single_file("http://127.0.0.1:9")) as host:
        page = browser.page(host)
        page.wait_for("document.querySelector('#connection-dialog[open]')")
        page.click("#connection-form button")
        page.wait_for("document.querySelector('.message.error')?.textContent.includes('127.0.0.1:9')")
