"""The page as one file, from one origin, with an API of another that demands a key."""

import pytest

from handler.web.single_file import single_file
from tests.support.http_server import QuietHandler, response, serving
from tests.support.keyed_gateway import KEY, keyed_gateway
from tests.support.page_actions import CHART_HAS_COLOURS, PREDICTED

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]


def test_one_file_works_with_an_api_of_another_origin_and_its_key(browser, server):
    class Host(QuietHandler):
        def do_GET(self):
            response(single_file(), Content_Type="text/html; charset=utf-8")(self)

    with keyed_gateway(server) as api, serving(Host) as host:
        page = browser.page(host)
        page.wait_for("document.querySelector('#connection-dialog[open]')")
        for field, text in (("#api-url", api), ("#api-key", KEY)):
            page.click(field)
            page.type(text)
        page.press("Enter")
        page.wait_for("document.documentElement.dataset.state === 'ready'")
        page.click("#example")
        page.wait_for(PREDICTED)
        page.wait_for(CHART_HAS_COLOURS)
        page.press("Enter")
        page.wait_for("document.querySelector('.frame')?.naturalWidth")
        assert page.console == []
        assert page.evaluate("JSON.parse(sessionStorage.getItem('coinfarm-connection')).key") == KEY
        assert page.hosts - {""} <= {host.removeprefix("http://"), api.removeprefix("http://").removesuffix("/v1")}
