"""The files of events/ are what events/make.py writes, and the handler accepts them (API events: test_openapi.py)."""

import base64
import hashlib
import io
import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from coinfarm.candles.files import parse_candles
from handler.event_kinds import UnknownEvent
from handler.message_body import unwrapped
from tests.support.demo_requests import EVENTS, make_candles, make_events
from tests.support.live_schedules import exchange_of_the_handler

FILES = {
    path.relative_to(EVENTS).with_suffix("").as_posix(): path for path in sorted(EVENTS.rglob("*.json")) if not path.stem.startswith("env")
}
CANDLE_FILE = EVENTS / "candles/DEMOUSD-1m.parquet"


def committed_candles():
    return parse_candles(CANDLE_FILE.read_bytes(), CANDLE_FILE.name)


def test_the_candle_file_is_up_to_date():
    committed, made = committed_candles(), make_candles()
    np.testing.assert_array_equal(committed.open_time, made.open_time)
    for name in committed.columns._fields[:4]:  # prices may differ by a tick between processors
        np.testing.assert_allclose(getattr(committed.columns, name), getattr(made.columns, name), atol=0.1001)


def unpacked(event):
    """The event with its archive of frames, or its Parquet file, as lists: other versions of a library compress to other bytes."""
    if not event.get("isBase64Encoded"):
        return event
    data = base64.b64decode(event["body"])
    if data.startswith(b"PAR1"):
        body = pq.read_table(io.BytesIO(data)).to_pydict()
    elif data.startswith(b"PK"):
        members = np.load(io.BytesIO(data))
        body = {name: members[name].tolist() for name in members}
    else:
        body = data.decode()
    return {**event, "body": body, "headers": None, "multiValueHeaders": None}


def test_the_events_are_up_to_date():
    made = make_events(committed_candles())
    assert sorted(FILES) == sorted(made)
    for name in FILES:
        event = event_of(name)
        assert unpacked(event) == unpacked(made[name]), f"events/{name}.json is outdated: run python events/make.py"
        assert all(
            record["md5OfBody"] == hashlib.md5(record["body"].encode()).hexdigest()
            for record in event.get("Records", ())
            if "md5OfBody" in record
        )


def event_of(name):
    return json.loads(FILES[name].read_text())


@pytest.mark.parametrize("name", ["sqs-inline", "sqs-candle-file", "sqs-sns"])
def test_messages_write_their_results(invoke, monkeypatch, folder, name):
    monkeypatch.setenv("CANDLES_ROOT", str(EVENTS / "candles"))
    assert invoke(event_of(name)) == {"batchItemFailures": []}
    for record in event_of(name)["Records"]:
        assert (folder / "results" / json.loads(unwrapped(record["body"]))["resultsUri"]).exists()


@pytest.mark.parametrize("name", ["s3-put", "s3-object-created", "sqs-s3-object-created"])
def test_uploads_write_their_predictions(invoke, monkeypatch, folder, name):
    monkeypatch.setenv("CANDLES_ROOT", str(EVENTS / "candles"))
    assert invoke(event_of(name)) in ({"files": 1}, {"batchItemFailures": []})
    (result,) = (folder / "results/uploads/DEMOUSD-1m.csv").iterdir()
    assert result.stem == hashlib.md5((EVENTS / "candles/uploads/DEMOUSD-1m.csv").read_bytes()).hexdigest()
    assert len(pq.read_table(result)) == 281


@pytest.mark.enable_socket
def test_the_schedules_event_fills_the_live_store(invoke, folder):
    with exchange_of_the_handler() as exchange:
        exchange.now_ms += 5_000
        assert invoke(event_of("live"))["new"] > 400
    assert list((folder / "results/live/exchange=binanceus/interval=1m").glob("*.parquet"))


def test_only_the_invalid_message_fails(invoke, folder):
    event = event_of("rejected/sqs-one-bad-record")
    assert invoke(event) == {"batchItemFailures": [{"itemIdentifier": event["Records"][1]["messageId"]}]}
    assert len(list((folder / "results/sqs-one-bad-record").iterdir())) == 2


def test_direct_events(invoke):
    direct = invoke(event_of("direct"))
    assert (direct["model"]["name"], len(direct["results"])) == ("fake", 11)
    assert all(invoke(event_of(name))["warm"] for name in ("warmup", "schedule-rule", "schedule-scheduler"))
    assert invoke(event_of("rejected/direct-too-few-candles"))["status"] == 422
    with pytest.raises(UnknownEvent):
        invoke(event_of("rejected/sns-notification"))
