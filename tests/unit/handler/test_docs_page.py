import json
import re
from html.parser import HTMLParser

import pytest

from handler.docs_page import page
from handler.openapi_file import openapi_json


class Loads(HTMLParser):
    """Collects what a browser would fetch for the page."""

    def __init__(self):
        super().__init__()
        self.urls = []

    def handle_starttag(self, tag, attributes):
        self.urls += [value for name, value in attributes if name in ("src", "href", "srcset", "data", "action", "poster")]


def test_the_page_fetches_nothing():
    loads = Loads()
    loads.feed(page())
    assert [url for url in loads.urls if not url.startswith("data:")] == []


def test_its_style_fetches_nothing():
    style = re.search(r"<style>(.*?)</style>", page(), re.DOTALL)[1]
    assert "@import" not in style
    assert {url.partition(":")[0] for url in re.findall(r"url\([\"']?([^)\"']+)", style)} <= {"data"}


def test_the_document_is_in_the_page():
    spec = re.search(r"const spec = (.*);\n", page())[1]
    assert json.loads(spec.replace("<\\/", "</")) == json.loads(openapi_json())


def test_no_text_of_the_document_can_end_its_script(monkeypatch):
    monkeypatch.setattr("handler.docs_page.openapi_json", lambda: '{"info": "</script><script>alert(1)"}')
    assert page().count("</script>") == 2


def test_the_page_is_served_as_html(ask):
    answer = ask("GET", "/docs")
    assert (answer.status, answer.media_type) == (200, "text/html; charset=utf-8")
    assert answer.content.startswith(b"<!doctype html>")


def test_the_document_is_served_as_json(ask):
    assert ask("GET", "/openapi.json").json() == json.loads(openapi_json())


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_the_documentation_needs_no_model(ask, monkeypatch, path):
    monkeypatch.setenv("MODEL_URI", "/nowhere")
    assert ask("GET", path).status == 200
