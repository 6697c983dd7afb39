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
        assert client.get("/live").status_code == client.get("/exchange/symbols").status_code == 404


def test_settings_add_their_routes(tmp_path):
    settings = WebSettings.from_environment({"LIVE_STORE": str(tmp_path), "EXCHANGE": "binanceus", "PATH": "other"})
    with serving(Application(web_routes(settings))) as client:
        assert client.get("/features").json() == {"exchange": "binanceus", "liveStore": True}
        assert client.get("/live").json() == {"series": []}
        assert client.get("/scorecard").status_code == 404
