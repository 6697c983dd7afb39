import re

import pytest

from handler.asgi import Application
from handler.web.page_routes import page_routes
from tests.support.asgi_server import serving

pytestmark = pytest.mark.enable_socket


@pytest.fixture(scope="module")
def client():
    with serving(Application(page_routes())) as client:
        yield client


def test_page_and_all_that_it_refers_to_are_served_with_their_types(client):
    page = client.get("/")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    paths = re.findall(r'(?:src|href)="(assets/[^"]+)"', page.text)
    assert len(paths) == 3
    modules = client.get("/assets/main.js").text
    paths += [f"assets/{name}" for name in re.findall(r'from "\./([\w.]+)"', modules)]
    types = {path: client.get(f"/{path}").headers["content-type"] for path in paths}
    assert set(types.values()) == {"text/css; charset=utf-8", "text/javascript; charset=utf-8"}


def test_policy_allows_scripts_styles_and_requests_only_of_the_server(client):
    policy = dict(part.strip().split(" ", 1) for part in client.get("/").headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["img-src"] == "'self' data: blob:"


def test_page_has_no_inline_script_or_style(client):
    text = client.get("/").text
    assert re.findall(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", text) == []


def test_an_unchanged_file_is_not_sent_again(client):
    first = client.get("/assets/main.js")
    again = client.get("/assets/main.js", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/assets/main.js", headers={"if-none-match": '"other"'}).status_code == 200


def test_files_are_compressed_for_clients_that_accept_it(client):
    plain = client.get("/assets/main.js", headers={"accept-encoding": "identity"})
    compressed = client.get("/assets/main.js", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert (compressed.headers["content-encoding"], compressed.text) == ("gzip", plain.text)
    assert int(compressed.headers["content-length"]) < int(plain.headers["content-length"])


@pytest.mark.parametrize("path", ["/assets/../__init__.py", "/assets/%2e%2e/__init__.py", "/assets/missing.js", "/assets/"])
def test_other_paths_are_not_found(client, path):
    assert client.get(path).status_code == 404
