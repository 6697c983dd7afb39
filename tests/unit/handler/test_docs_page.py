import gzip
import json
import re

import pytest

from handler.committed_openapi import openapi_for, openapi_json
from handler.docs_page import page
from tests.support.demo_requests import ApiResponse

PAGE = page(openapi_for(None))


def test_loads_no_external_resources():
    urls = re.findall(r"<[^>]+\s(?:src|href|srcset|data|action|poster)=[\"']?([^\"'\s>]+)", PAGE)
    style = re.search(r"<style>(.*?)</style>", PAGE, re.DOTALL)[1]
    assert "@import" not in style
    urls += re.findall(r"url\([\"']?([^)\"']+)", style)
    assert {url.partition(":")[0] for url in urls if not url.startswith("#")} <= {"data"}


def document_in(html):
    return json.loads(re.search(r"const spec = (.*);\n", html)[1].replace("<\\/", "</"))


def test_contains_the_document_and_escapes_closing_script_tags():
    assert document_in(PAGE) == json.loads(openapi_for(None))
    assert page('{"info": "</script><script>alert(1)"}').count("</script>") == 2


@pytest.fixture
def get(api_event, invoke):
    """Get a page as a browser does, which accepts compressed ones: a load balancer passes on no larger ones."""

    def get(path, **context):
        event = api_event("GET", path, "", b"")
        for headers in (event.get("headers"), event.get("multiValueHeaders")):
            if headers:
                headers["Accept-Encoding"] = ["gzip"] if headers is event.get("multiValueHeaders") else "gzip"
        response = ApiResponse.of(invoke({**event, "requestContext": {**event["requestContext"], **context}}))
        assert response.status == 200
        return gzip.decompress(response.content) if response.content.startswith(b"\x1f\x8b") else response.content

    return get


def test_serves_page_and_document_without_a_model(get, monkeypatch):
    monkeypatch.setenv("MODEL_URI", "/nowhere")
    assert json.loads(get("/openapi.json")) == document_in(get("/docs").decode())


LOCKED = {path for path, operations in json.loads(openapi_json())["paths"].items() if "security" in next(iter(operations.values()))}


@pytest.mark.parametrize(
    ("context", "scheme"),
    [
        ({}, None),
        ({"identity": {"apiKey": None, "userArn": None}}, None),
        ({"identity": {"apiKey": "a key", "userArn": None}}, "apiKey"),
        ({"identity": {"apiKey": None, "userArn": "arn:aws:iam::123456789012:user/a"}}, "sigv4"),
        ({"authorizer": {"iam": {"userArn": "arn:aws:iam::123456789012:user/a"}}}, "sigv4"),
        ({"identity": "nobody", "authorizer": 7}, None),
    ],
)
@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_shows_a_lock_only_where_the_caller_was_authenticated(get, path, context, scheme):
    body = get(path, **context)
    document = document_in(body.decode()) if path == "/docs" else json.loads(body)
    operations = {path: operation for path, by_method in document["paths"].items() for operation in by_method.values()}
    assert {path for path, operation in operations.items() if "security" in operation} == (LOCKED if scheme else set())
    assert {name for operation in operations.values() for each in operation.get("security", ()) for name in each} == ({scheme} - {None})
    assert document["components"].get("securitySchemes", {}).keys() == {scheme} - {None}
