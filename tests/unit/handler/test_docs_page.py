import json
import re
from html.parser import HTMLParser

from handler.docs_page import page
from handler.openapi_file import openapi_json


class ResourceCollector(HTMLParser):
    """Collects the URLs that a browser would load."""

    def __init__(self):
        super().__init__()
        self.urls = []

    def handle_starttag(self, tag, attributes):
        self.urls += [value for name, value in attributes if name in ("src", "href", "srcset", "data", "action", "poster")]


def test_loads_no_external_resources():
    collector = ResourceCollector()
    collector.feed(page())
    assert [url for url in collector.urls if not url.startswith("data:")] == []
    style = re.search(r"<style>(.*?)</style>", page(), re.DOTALL)[1]
    assert "@import" not in style
    assert {url.partition(":")[0] for url in re.findall(r"url\([\"']?([^)\"']+)", style)} <= {"data"}


def test_contains_the_document():
    spec = re.search(r"const spec = (.*);\n", page())[1]
    assert json.loads(spec.replace("<\\/", "</")) == json.loads(openapi_json())


def test_escapes_closing_script_tags(monkeypatch):
    monkeypatch.setattr("handler.docs_page.openapi_json", lambda: '{"info": "</script><script>alert(1)"}')
    assert page().count("</script>") == 2


def test_serves_page_and_document_without_a_model(send, monkeypatch):
    monkeypatch.setenv("MODEL_URI", "/nowhere")
    response = send("GET", "/docs")
    assert (response.status, response.media_type) == (200, "text/html; charset=utf-8")
    assert send("GET", "/openapi.json").json() == json.loads(openapi_json())
