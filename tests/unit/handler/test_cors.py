"""Requests of web pages: through API Gateway in both payload formats, and to the server."""

import pytest

from handler import app
from handler.asgi import Application
from handler.server_routes import ServerResponse
from tests.support.asgi_server import serving
from tests.support.demo_requests import demo_request

PAGE, OTHER, STRANGER = "https://charts.example.com", "http://localhost:8000", "https://evil.example.com"
ORIGIN = "access-control-allow-origin"


@pytest.fixture(params=[None, "*", f"{PAGE}, {OTHER}"], ids=["off", "all", "two"])
def origins(request, monkeypatch):
    if request.param:
        monkeypatch.setenv("CORS_ORIGINS", request.param)
    return request.param


def expected(origins, origin):
    if origins == "*":
        return "*"
    return origin if origins and origin in origins else None


@pytest.fixture
def ask(api_event, invoke):
    """Send a request of a page through API Gateway."""

    def ask(method, path, origin, body=b"", **headers):
        event = api_event(method, path, "application/json", body)
        for name, value in {"Origin": origin, **headers}.items():
            if "headers" in event:
                event["headers"][name if "multiValueHeaders" in event else name.lower()] = value
            if "multiValueHeaders" in event:
                event["multiValueHeaders"][name] = [value]
        response = invoke(event)
        found = response.get("headers") or {name: values[0] for name, values in response["multiValueHeaders"].items()}
        return response["statusCode"], {name.lower(): value for name, value in found.items()}

    return ask


@pytest.mark.parametrize("origin", [PAGE, OTHER, STRANGER])
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/health", 200), ("POST", "/predictions", 400), ("GET", "/nowhere", 404), ("GET", "/predictions", 405)],
)
def test_responses_and_errors_name_an_allowed_origin(ask, origins, origin, method, path, status):
    found, headers = ask(method, path, origin)
    assert (found, headers.get(ORIGIN)) == (status, expected(origins, origin))
    assert headers.get("vary") == ("Origin" if origins not in (None, "*") else None)
    if expected(origins, origin):
        assert "Retry-After" in headers["access-control-expose-headers"]


@pytest.mark.parametrize("origin", [PAGE, STRANGER])
def test_a_preflight_lists_methods_and_headers(ask, origins, origin):
    status, headers = ask("OPTIONS", "/predictions", origin, **{"Access-Control-Request-Method": "POST"})
    if origins is None:
        assert status == 405
        return
    assert (status, headers.get(ORIGIN)) == (204, expected(origins, origin))
    if expected(origins, origin):
        assert "POST" in headers["access-control-allow-methods"]
        allowed = headers["access-control-allow-headers"].lower().split(",")
        assert {"x-api-key", "content-type"} <= {*allowed}
        assert int(headers["access-control-max-age"]) > 0


def test_a_request_without_an_origin_gets_no_origin(send, monkeypatch):
    monkeypatch.setenv("CORS_ORIGINS", PAGE)
    assert send("GET", "/health").status == 200


@pytest.mark.usefixtures("origins")
def test_no_page_may_use_cookies(ask):
    assert "access-control-allow-credentials" not in ask("GET", "/health", PAGE)[1]


async def only_here(request):
    return ServerResponse(b"{}")


@pytest.mark.enable_socket
def test_the_server_answers_pages_on_all_of_its_routes(origins):
    app.service.cache_clear()
    with serving(Application({("GET", "/only-here"): only_here})) as client:
        responses = [
            client.post("/predictions", json=demo_request(), headers={"origin": OTHER}),
            client.post("/predictions", json=demo_request(10), headers={"origin": OTHER}),
            client.get("/only-here", headers={"origin": OTHER}),
            client.get("/health", headers={"origin": OTHER}),
        ]
        stranger = client.get("/only-here", headers={"origin": STRANGER})
        preflight = client.options("/only-here", headers={"origin": OTHER, "access-control-request-method": "GET"})
    assert [response.status_code for response in responses] == [200, 422, 200, 200]
    assert {response.headers.get(ORIGIN) for response in responses} == {expected(origins, OTHER)}
    assert stranger.headers.get(ORIGIN) == expected(origins, STRANGER)
    if origins:
        assert (preflight.status_code, preflight.headers[ORIGIN]) == (204, expected(origins, OTHER))
