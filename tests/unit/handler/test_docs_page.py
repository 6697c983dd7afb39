import json
import re

from handler.committed_openapi import openapi_json
from handler.docs_page import page


def test_loads_no_external_resources():
    urls = re.findall(r"<[^>]+\s(?:src|href|srcset|data|action|poster)=[\"']?([^\"'\s>]+)", page())
    style = re.search(r"<style>(.*?)</style>", page(), re.DOTALL)[1]
    assert "@import" not in style
    urls += re.findall(r"url\([\"']?([^)\"']+)", style)
    assert {url.partition(":")[0] for url in urls if not url.startswith("#")} <= {"data"}


def test_contains_the_document_and_escapes_closing_script_tags(monkeypatch):
    spec = re.search(r"const spec = (.*);\n", page())[1]
    assert json.loads(spec.replace("<\\/", "</")) == json.loads(openapi_json())
    monkeypatch.setattr("handler.docs_page.openapi_json", lambda: '{"info": "</script><script>alert(1)"}')
    assert page().count("</script>") == 2


def test_serves_page_and_document_without_a_model(send, monkeypatch):
    monkeypatch.setenv("MODEL_URI", "/nowhere")
    response = send("GET", "/docs")
    assert (response.status, response.media_type) == (200, "text/html; charset=utf-8")
    assert send("GET", "/openapi.json").json() == json.loads(openapi_json())
