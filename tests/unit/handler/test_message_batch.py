import pytest

from coinfarm.errors import Unavailable
from coinfarm.storage.folder import FolderStorage
from handler import app, message_batch
from handler.local_events import LocalContext
from tests.support.demo_requests import START_MS, failed_ids, message, queue_event
from tests.support.fake_models import publish_model

BAD = {
    "not JSON": "hello",
    "no shard": {"hello": "world"},
    "an invalid candle": message("bad", candles=[[START_MS, "1", "2", "3", "1", "0"]] * 200),
    "an unknown file extension": message("bad", resultsUri="bad.csv"),
    "no candles at all": {"symbol": "DEMOUSD", "interval": "1m", "resultsUri": "bad.json"},
    "a missing file": {"symbol": "DEMOUSD", "interval": "1m", "candlesUri": "none.parquet", "resultsUri": "bad.json"},
    "candles outside of the root": {"symbol": "DEMOUSD", "interval": "1m", "candlesUri": "/etc/passwd", "resultsUri": "bad.json"},
    "a result outside of the root": message("bad", resultsUri="/tmp/bad.json"),
    "an unknown version": message("bad", modelVersion="20990101-00000000"),
}


@pytest.mark.parametrize("bad", [pytest.param(body, id=name) for name, body in BAD.items()])
def test_an_invalid_record_does_not_fail_the_others(deliver, results, bad):
    assert deliver(message("first", seed=1), bad, message("third", seed=2)) == [1]
    assert results.names() == ["first.json", "third.json"]


def test_records_share_engine_calls(deliver, engine_calls, results):
    assert deliver(message("first", 210, seed=1), "hello", message("third", 220, seed=2), message("fourth", 205, seed=3)) == [1]
    assert engine_calls == [11 + 21 + 6]
    assert [len(results[name]["results"]) for name in ("first", "third", "fourth")] == [11, 21, 6]


def test_engine_calls_have_at_most_max_batch_frames(deliver, engine_calls, results, monkeypatch):
    monkeypatch.setenv("MAX_BATCH", "10")
    assert deliver(message("first", 214, seed=1), message("second", 207, seed=2)) == []
    assert engine_calls == [10, 10, 3]
    assert [len(results[name]["results"]) for name in ("first", "second")] == [15, 8]


def test_each_record_uses_the_version_that_it_pins(deliver, engine_calls, results, models, folder):
    pinned = publish_model(models, folder / "other bundle", "-2.0")
    versions = {"new": None, "old": pinned, "newer": None, "older": pinned}
    batch = [message(name, seed=seed, modelVersion=version) for seed, (name, version) in enumerate(versions.items())]
    assert deliver(*batch) == []
    assert [results[name]["results"][0]["predictions"]["maxRisePct"] for name in versions] == [1.5, -2.0, 1.5, -2.0]
    assert engine_calls == [2, 2]


def test_a_record_succeeds_only_after_its_result_is_written(deliver, results, monkeypatch):
    write = FolderStorage.write

    def fail_once(self, key, *args, **kwargs):
        if key == "second.json":
            raise Unavailable("S3 is unavailable")
        return write(self, key, *args, **kwargs)

    batch = [message("first", seed=1), message("second", seed=2), message("third", seed=3)]
    monkeypatch.setattr(FolderStorage, "write", fail_once)
    assert deliver(*batch) == [1]
    assert results.names() == ["first.json", "third.json"]
    monkeypatch.setattr(FolderStorage, "write", write)
    assert deliver(*batch) == []
    assert results.names() == ["first.json", "second.json", "third.json"]


def test_a_message_twice_in_one_batch_is_predicted_once(deliver, results, engine_calls):
    assert deliver(message("one"), message("one")) == []
    assert engine_calls == [1]


def test_out_of_time_returns_the_remaining_records_after_writing_the_finished_ones(results, engine_calls, monkeypatch):
    monkeypatch.setenv("MAX_BATCH", "5")
    seconds_left = iter([60, 30, 9])

    class Context(LocalContext):
        def get_remaining_time_in_millis(self):
            return 1000 * next(seconds_left)

    event = queue_event(message("first", 204, seed=1), message("second", 203, seed=2), message("third", 210, seed=3))
    response = app.lambda_handler(event, Context())
    assert failed_ids(response) == [event["Records"][2]["messageId"]]
    assert results.names() == ["first.json", "second.json"]
    assert engine_calls == [5, 5]


@pytest.mark.usefixtures("broken_engine")
def test_an_engine_failure_returns_all_records(deliver, results):
    assert deliver(message("first", seed=1), message("second", seed=2)) == [0, 1]
    assert results.names() == []


def test_a_missing_model_returns_all_records(deliver, monkeypatch):
    monkeypatch.setenv("MODEL_URI", "/nowhere")
    assert deliver(message("first"), message("second", seed=2)) == [0, 1]


def test_processes_suspicious_records_alone_and_last(invoke, results, monkeypatch):
    sizes, process = [], message_batch.process_messages
    monkeypatch.setattr(
        message_batch, "process_messages", lambda messages, *rest: (sizes.append(len(messages)), process(messages, *rest))[1]
    )
    event = queue_event(message("bad", count=100), message("suspicious"), message("one"), message("another"))
    for record in event["Records"][:2]:
        record["attributes"]["ApproximateReceiveCount"] = "3"
    assert failed_ids(invoke(event)) == [event["Records"][0]["messageId"]]
    assert sizes == [2, 1, 1]
    assert results.names() == ["another.json", "one.json", "suspicious.json"]
