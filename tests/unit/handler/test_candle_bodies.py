"""Candle files as bodies of the API's routes."""

import json

import pytest

from coinfarm.candles.json_rows import FIELDS
from coinfarm.candles.parquet_file import parquet_from_candles
from tests.support.demo_requests import MINUTE_MS, demo_candles, demo_request

REQUEST = demo_request(205)
ROWS = REQUEST["candles"]
OBJECTS = [dict(zip(FIELDS, row, strict=True)) for row in ROWS]
CSV = "\n".join(",".join(map(str, row)) for row in (FIELDS, *ROWS)).encode()
PARQUET = parquet_from_candles(demo_candles(205))
NAMED = {"symbol": "DEMOUSD", "interval": "1m"}
BODIES = {
    "CSV": (CSV, "text/csv; charset=utf-8", NAMED),
    "Parquet": (PARQUET, "application/vnd.apache.parquet", {"fileName": "DEMOUSD-1m.parquet"}),
    "unknown bytes": (PARQUET, "application/octet-stream", {"symbol": "DEMOUSD"}),
    "klines": (ROWS, "application/json", NAMED),
    "objects in an exchange's response": ({"code": 0, "data": OBJECTS}, "application/json", NAMED),
    "candles in an exchange's response": ({"candles": OBJECTS}, "application/json", NAMED),
    "a response that names its symbol": ({"ticker": "DEMOUSD", "results": OBJECTS}, "application/json", None),
}
bodies = pytest.mark.parametrize(("body", "media_type", "query"), BODIES.values(), ids=BODIES)


@bodies
def test_files_have_the_predictions_of_their_candles(send, body, media_type, query):
    response = send("POST", "/predictions", body, media_type, query=query)
    assert response.status == 200, response.content
    document = response.json()
    assert (document.pop("symbol"), document.pop("interval"), document.pop("notes")) == ("DEMOUSD", "1m", [])
    assert document == send("POST", "/predictions", REQUEST).json()


@bodies
def test_files_are_listed_as_candles(send, body, media_type, query):
    document = send("POST", "/candles", body, media_type, query=query).json()
    assert {name: document[name] for name in ("symbol", "interval", "totalCandles", "notes")} == {**NAMED, "totalCandles": 205, "notes": []}
    assert document["candles"] == [[row[0], *map(float, row[1:])] for row in ROWS]


def test_options_of_a_file_apply(send):
    query = {**NAMED, "stride": "4"}
    assert len(send("POST", "/predictions", CSV, "text/csv", query=query).json()["results"]) == 2
    gap = b"\n".join(line for at, line in enumerate(CSV.splitlines()) if at != 100)
    assert send("POST", "/predictions", gap, "text/csv", query={**NAMED, "gaps": "reject"}).status == 422
    filled = send("POST", "/predictions", gap, "text/csv", query=NAMED).json()
    assert filled["results"][0]["filledCandles"] == 1
    assert len(send("POST", "/candles", CSV, "text/csv", query={**NAMED, "limit": "7"}).json()["candles"]) == 7
    assert send("POST", "/predictions", CSV, "text/csv", query={**NAMED, "modelVersion": "20990101-00000000"}).status == 404


def test_a_note_says_how_to_predict_a_market_that_closes(send):
    lines = CSV.splitlines()
    night = b"\n".join(lines[:4] + lines[-1:])
    response = send("POST", "/predictions", night, "text/csv", query=NAMED)
    (result, *_), (note,) = response.json()["results"], response.json()["notes"]
    assert result["predictions"] is None
    assert "gaps=skip" in note


def test_notes_say_what_was_dropped(send):
    twice = CSV + b"\n" + CSV.splitlines()[-1]
    assert len(send("POST", "/predictions", twice, "text/csv", query=NAMED).json()["notes"]) == 1


def check(response, status, pointer):
    assert (response.status, response.media_type) == (status, "application/problem+json")
    assert response.json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("path", ["/predictions", "/candles"])
def test_a_file_without_a_symbol_is_rejected_with_the_remedy(send, path):
    response = send("POST", path, CSV, "text/csv")
    check(response, 422, "")
    assert "query parameter symbol" in response.json()["detail"]


@pytest.mark.parametrize(
    ("body", "query", "status", "pointer"),
    [
        pytest.param(b"[1, ", NAMED, 400, "", id="not JSON"),
        pytest.param({"symbol": "DEMOUSD", "interval": "1m"}, None, 422, "/candles", id="our layout without candles"),
        pytest.param({}, None, 422, "/symbol", id="an empty object"),
        pytest.param({"candles": OBJECTS}, None, 422, "/symbol", id="our layout without a symbol"),
        pytest.param(REQUEST, {"stride": "2"}, 422, "", id="our layout with a query"),
        pytest.param(ROWS, {"strid": "2"}, 422, "/strid", id="an unknown option"),
        pytest.param({"code": 51001, "msg": "Instrument does not exist"}, NAMED, 422, "", id="an exchange's error"),
    ],
)
def test_rejects_json_that_is_neither_a_request_nor_candles(send, body, query, status, pointer):
    check(send("POST", "/predictions", body, query=query), status, pointer)


def test_frames_take_no_query(send):
    check(send("POST", "/predictions", b"PK", "application/x-npz", query={"symbol": "A"}), 422, "")


@pytest.mark.parametrize("path", ["/predictions", "/candles"])
def test_a_form_is_rejected_with_the_remedy(send, path):
    response = send("POST", path, b"--x", "multipart/form-data; boundary=x")
    assert response.status == 415
    assert "not a form" in response.json()["detail"]


def test_explains_the_prediction_of_the_last_window(send):
    document = send("POST", "/explanation", {**REQUEST, "groupCandles": 50}).json()
    assert (document["symbol"], document["closeTime"]) == ("DEMOUSD", ROWS[-1][0] + MINUTE_MS - 1)
    assert document["predictions"]["maxRisePct"] == 1.5
    assert [group["openTime"] for group in document["groups"]] == [ROWS[at][0] for at in (5, 55, 105, 155)]
    assert document["effectsPct"]["endChangePct"]["all"] == [0.0] * 4
    assert len(json.dumps(document)) < 10_000


@pytest.mark.parametrize(
    ("changes", "status", "pointer"),
    [
        ({"groupCandles": 0}, 422, "/groupCandles"),
        ({"candles": ROWS[:199]}, 422, "/candles"),
        ({"candles": ROWS[:40] + ROWS[145:]}, 422, ""),
    ],
    ids=["an empty group", "too few candles", "mostly filled"],
)
def test_rejects_what_cannot_be_explained(send, changes, status, pointer):
    check(send("POST", "/explanation", {**REQUEST, **changes}), status, pointer)
