import asyncio
import json
from collections import Counter
from time import sleep

import pytest

from coinfarm.errors import Unavailable
from coinfarm.live.live_rows import CANDLE_COLUMNS
from coinfarm.live.live_store import LiveStore
from handler.asgi import Application
from handler.server_routes import ServerRequest, ServerResponse
from handler.web import live_routes
from handler.web.live_routes import LiveRoutes
from tests.support.asgi_server import serving
from tests.support.filled_live_store import FEED, append_candles, filled_live_store
from tests.support.synthetic_candles import minutes

pytestmark = pytest.mark.enable_socket

CANDLES = minutes(230)
SERIES = {"exchange": "binanceus", "interval": "1m", "symbol": "DEMOUSD"}


@pytest.fixture
def store(tmp_path):
    return filled_live_store(tmp_path, CANDLES, 210)


@pytest.fixture
def client(store, monkeypatch):
    monkeypatch.setattr(live_routes, "_POLL_S", 0.02)
    with serving(Application(LiveRoutes(store).routes())) as client:
        yield client


def open_times(positions):
    return [int(CANDLES.open_time[at]) for at in positions]


def events(stream, count):
    """The next events of a stream, each as (id, open time)."""
    found, event = [], {}
    for line in stream.iter_lines():
        name, _, value = line.partition(": ")
        event[name] = value
        if not line:
            if event.get("event") == "candle":
                found.append((event.get("id"), json.loads(event["data"])["candle"]["openTime"]))
            event = {}
        if len(found) == count:
            return found
    return found


def test_lists_the_series_of_the_store(client):
    assert client.get("/live").json() == {"series": [SERIES]}


def test_returns_the_newest_rows_of_a_series(client):
    rows = client.get("/live", params={**SERIES, "limit": 20}).json()["rows"]
    assert [row["candle"]["openTime"] for row in rows] == open_times(range(190, 210))
    assert (rows[0]["predictions"], rows[-1]["predictions"]["maxRisePct"]) == (None, 0.6)


def test_any_spelling_of_symbol_and_interval_is_the_same_series(client):
    assert len(client.get("/live", params={**SERIES, "symbol": "demo/usd"}).json()["rows"]) == 210


@pytest.mark.parametrize(
    ("change", "status"),
    [({"symbol": "ETHUSD"}, 404), ({"interval": "5m"}, 404), ({"exchange": "../x"}, 422), ({"limit": 0}, 422), ({"more": 1}, 422)],
)
def test_errors_are_problem_documents(client, change, status):
    answer = client.get("/live", params={**SERIES, **change})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_events_are_the_rows_after_a_position_as_they_are_stored(client, store):
    position = client.get("/live", params=SERIES).json()["position"]
    append_candles(store, CANDLES, range(210, 212))
    with client.stream("GET", "/live/events", params={**SERIES, "after": position}) as stream:
        assert stream.headers["content-type"] == "text/event-stream"
        first, second = open_times([210, 211])
        assert events(stream, 2) == [(None, first), (f"{second}-0", second)]


def test_a_stream_without_position_begins_now(client, store):
    with client.stream("GET", "/live/events", params=SERIES) as stream:
        lines = stream.iter_lines()
        assert next(lines).startswith("retry: ")
        append_candles(store, CANDLES, range(210, 211))
        data = next(line for line in lines if line.startswith("data: "))
    assert json.loads(data[6:])["candle"]["openTime"] == open_times([210])[0]


def test_a_client_that_connects_again_gets_what_it_has_missed(client, store):
    append_candles(store, CANDLES, range(210, 214))
    headers = {"last-event-id": f"{open_times([211])[0]}-0"}
    with client.stream("GET", "/live/events", params={**SERIES, "after": "0-0"}, headers=headers) as stream:
        assert [time for _, time in events(stream, 2)] == open_times([212, 213])


def test_a_corrected_candle_is_sent_again(client, store):
    position = client.get("/live", params=SERIES).json()["position"]
    row = store.read(FEED).select(["symbol", "open_time", "close_time", *CANDLE_COLUMNS, "corrected_at"]).slice(205, 1).to_pylist()[0]
    store.correct(FEED, type(store.read(FEED)).from_pylist([row | {"volume": row["volume"] + 1, "corrected_at": 5}]))
    with client.stream("GET", "/live/events", params={**SERIES, "after": position}) as stream:
        last = open_times([209])[0]
        assert events(stream, 1) == [(f"{last}-5", open_times([205])[0])]


def test_the_number_of_streams_is_limited_and_closed_ones_do_not_count(client, monkeypatch):
    monkeypatch.setattr(live_routes, "_MAX_STREAMS", 1)
    with client.stream("GET", "/live/events", params=SERIES) as stream:
        lines = stream.iter_lines()
        assert next(lines)
        assert client.get("/live/events", params=SERIES).status_code == 503
    for _ in range(200):
        with client.stream("GET", "/live/events", params=SERIES) as again:
            if again.status_code == 200:
                return
    pytest.fail("the closed stream still counts")


def test_a_quiet_stream_sends_a_comment(client, monkeypatch):
    monkeypatch.setattr(live_routes, "_HEARTBEAT_S", 0.05)
    with client.stream("GET", "/live/events", params=SERIES) as stream:
        assert next(line for line in stream.iter_lines() if line.startswith(":"))


def test_clients_that_come_at_once_are_limited_too(store, monkeypatch):
    monkeypatch.setattr(live_routes, "_MAX_STREAMS", 3)
    routes = LiveRoutes(store)
    request = ServerRequest(None, SERIES, {}, b"")

    async def connect():
        found = await asyncio.gather(*(routes.get_events(request) for _ in range(5)), return_exceptions=True)
        for each in found:
            if isinstance(each, ServerResponse):
                await each.body.aclose()
        assert isinstance(await routes.get_events(request), ServerResponse)
        return Counter(type(each) for each in found)

    assert asyncio.run(connect()) == {ServerResponse: 3, Unavailable: 2}


def test_a_series_without_rows_is_not_found(client):
    assert client.get("/live/events", params={**SERIES, "symbol": "NONE"}).status_code == 404


def test_a_stream_outlives_a_damaged_file(client, store, tmp_path):
    (file,) = tmp_path.rglob("*.parquet")
    data = file.read_bytes()
    with client.stream("GET", "/live/events", params=SERIES) as stream:
        file.write_bytes(data[:1000])
        sleep(0.2)
        file.write_bytes(data)
        append_candles(store, CANDLES, range(210, 211))
        assert [at for _, at in events(stream, 1)] == open_times([210])


def test_clients_share_what_is_read(store, monkeypatch):
    reads = []
    monkeypatch.setattr(store, "read", lambda *arguments: reads.append(arguments) or LiveStore.read(store, *arguments))
    routes = LiveRoutes(store)
    request = ServerRequest(None, {**SERIES, "after": f"{CANDLES.open_time[208]}-0"}, {}, b"")

    async def follow():
        response = await routes.get_events(request)
        return [await anext(response.body) for _ in range(2)]

    async def follow_all():
        return await asyncio.gather(*(follow() for _ in range(20)))

    assert all(b"event: candle" in event for _, event in asyncio.run(follow_all()))
    assert len(reads) <= 2
