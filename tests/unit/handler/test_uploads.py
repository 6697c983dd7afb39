"""Candle files that are uploaded to S3: each version is predicted once."""

import json

import boto3
import moto
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.errors import CandleError, InvalidInput, TooLarge
from handler import app
from tests.support.demo_requests import bucket_notification, demo_candles, failed_ids, object_created, queue_event, topic_notification

KEY = "uploads/with space+ä/DEMOUSD-1m.parquet"
DATA = parquet_from_candles(demo_candles(210))


@pytest.fixture
def candles(folder):
    """The folder of candles, with an uploaded file."""
    file = folder / "candles" / KEY
    file.parent.mkdir(parents=True)
    file.write_bytes(DATA)
    return file


@pytest.fixture
def s3(monkeypatch):
    """S3, with a bucket for candles and one for results, and the roots in it."""
    with moto.mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        for name in ("candles", "results"):
            client.create_bucket(Bucket=name)
            monkeypatch.setenv(f"{name.upper()}_ROOT", f"s3://{name}")
        yield client


EVENTS = {
    "EventBridge": object_created("candles", KEY, DATA),
    "notification": bucket_notification("candles", KEY, DATA),
    "queue": queue_event(object_created("candles", KEY, DATA)),
    "topic and queue": queue_event(topic_notification(bucket_notification("candles", KEY, DATA))),
}


@pytest.mark.usefixtures("candles")
@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
def test_an_upload_is_predicted_once_however_often_its_event_is_delivered(invoke, folder, event, engine_calls):
    for _ in range(2):
        invoke(event)
    (result,) = (file for file in (folder / "results").rglob("*") if file.is_file())
    assert result.parent == folder / "results" / KEY
    assert pq.read_table(result)["max_rise_pct"].to_pylist() == [1.5] * 11
    assert engine_calls == [11]


def test_each_version_of_a_file_has_its_own_result(invoke, s3):
    for count in (200, 202):
        data = parquet_from_candles(demo_candles(count))
        s3.put_object(Bucket="candles", Key=KEY, Body=data)
        invoke(object_created("candles", KEY, data))
    results = [
        s3.get_object(Bucket="results", Key=found["Key"])["Body"].read() for found in s3.list_objects_v2(Bucket="results")["Contents"]
    ]
    assert sorted(len(pq.read_table(pa.BufferReader(each))) for each in results) == [1, 3]


def test_a_file_that_was_replaced_or_deleted_is_left_to_its_newer_event(invoke, s3, engine_calls):
    old, new = DATA, parquet_from_candles(demo_candles(202))
    s3.put_object(Bucket="candles", Key=KEY, Body=new)
    invoke(object_created("candles", KEY, old))
    invoke(object_created("candles", "uploads/DEMOUSD-1m.csv", old))
    assert "Contents" not in s3.list_objects_v2(Bucket="results")
    assert engine_calls == []


def test_files_outside_of_the_candle_bucket_are_rejected(invoke, s3):
    s3.put_object(Bucket="results", Key=KEY, Body=DATA)
    with pytest.raises(InvalidInput, match="s3://results"):
        invoke(object_created("results", KEY, DATA))


def test_a_result_is_no_upload(invoke, candles, folder, monkeypatch):
    monkeypatch.setenv("RESULTS_ROOT", str(folder / "candles/uploads"))
    app.service.cache_clear()
    with pytest.raises(InvalidInput, match="results"):
        invoke(object_created("candles", KEY, DATA))


def test_a_file_without_a_symbol_or_with_too_many_windows_raises_and_its_message_fails(invoke, folder, monkeypatch, candles):
    monkeypatch.setenv("MAX_RECORD_FRAMES", "10")
    with pytest.raises(TooLarge, match="11"):
        invoke(object_created("candles", KEY, DATA))
    (folder / "candles/nameless.csv").write_text("hello")
    with pytest.raises(CandleError):
        invoke(object_created("candles", "nameless.csv", b"hello"))
    assert len(failed_ids(invoke(queue_event(object_created("candles", "nameless.csv", b"hello"))))) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"eventName": "ObjectRemoved:Delete"},
        {"s3": {}},
        {"s3": {"bucket": {"name": "candles"}, "object": {"key": KEY, "eTag": "../../x"}}},
    ],
    ids=["deletion", "no object", "an invalid etag"],
)
def test_other_events_of_s3_raise(invoke, change):
    event = bucket_notification("candles", KEY, DATA)
    event["Records"][0] |= change
    with pytest.raises(InvalidInput):
        invoke(event)


def test_one_bad_file_of_a_notification_does_not_stop_the_others(invoke, candles, folder):
    records = bucket_notification("candles", "missing\x00.csv", b"")["Records"] + bucket_notification("candles", KEY, DATA)["Records"]
    with pytest.raises(InvalidInput):
        invoke(json.loads(json.dumps({"Records": records})))
    assert list((folder / "results" / KEY).iterdir())
