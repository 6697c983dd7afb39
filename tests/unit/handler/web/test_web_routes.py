import pytest

from handler.asgi import Application
from handler.web.web_routes import web_routes
from handler.web.web_settings import WebSettings
from tests.support.asgi_server import serving

pytestmark = pytest.mark.enable_socket


def test_without_settings_there_is_only_the_page():
    with serving(Application(web_routes(WebSettings()))) as client:
        assert client.get("/features").json() == {"exchange": None, "liveStore": False}
        assert client.get("/").status_code == 200
        for path, option in {
            "/live": "--store",
            "/live/events": "--store",
            "/scorecard": "--store",
            "/exchange/symbols": "--exchange",
        }.items():
            answer = client.get(path)
            assert (answer.status_code, option in answer.json()["detail"]) == (404, True)


def test_settings_add_their_routes(tmp_path):
    settings = WebSettings.from_environment({"LIVE_STORE": str(tmp_path), "EXCHANGE": "binanceus", "PATH": "other"})
    with serving(Application(web_routes(settings))) as client:
        assert client.get("/features").json() == {"exchange": "binanceus", "liveStore": True}
        assert client.get("/live").json() == {"series": []}
        assert client.get("/scorecard").status_code == 404
