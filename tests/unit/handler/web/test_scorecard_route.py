import pytest

from coinfarm.scorecard.scorecard_document import Scorecard
from handler.asgi import Application
from handler.web.scorecard_route import ScorecardRoute
from tests.support.asgi_server import serving
from tests.support.filled_live_store import LIVE_CANDLES, append_candles

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def client(store):
    with serving(Application({("GET", "/scorecard"): ScorecardRoute(store)})) as client:
        client.timeout = 30
        yield client


def test_answers_with_the_document_of_the_command(client):
    card = Scorecard.model_validate(client.get("/scorecard").json())
    assert [(score.exchange, score.interval, score.counts.predictions) for score in card.scores] == [("binanceus", "1m", 81)]


def test_a_document_is_kept_for_a_minute(client, store, version, monkeypatch):
    first = client.get("/scorecard").json()
    append_candles(store, LIVE_CANDLES, range(280, 300), version)
    assert client.get("/scorecard").json() == first
    monkeypatch.setattr("handler.web.scorecard_route._KEPT_S", -1)
    assert client.get("/scorecard").json()["scores"][0]["counts"]["predictions"] == 101


def test_scores_30_days_unless_others_are_asked_for(client):
    documents = [client.get("/scorecard").json(), client.get("/scorecard?days=90").json()]
    assert [document["days"] for document in documents] == [30, 90]
    assert client.get("/scorecard?days=0").status_code == 422
