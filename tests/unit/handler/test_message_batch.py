import pytest

from coinfarm.errors import Unavailable
from coinfarm.storage.folder import FolderStorage
from handler import app, message_batch
from handler.local_events import LocalContext
from tests.support.demo_requests import START_MS, failed_ids, message, queue_event
from tests.support.fake_models import publish_model

BAD = {
    "not JSON": "hello",
    "an invalid candle": message("bad", candles=[[START_MS, "1", "2", "3", "1", "0"]] * 200),
    "no candles at all": {"symbol": "DEMOUSD", "interval": "1m", "resultsUri": "bad.json"},
    "a missing file": {"symbol": "DEMOUSD", "interval": "1m", "candlesUri": "none.parquet", "resultsUri": "bad.json"},
    "a result outside of the root": message("bad", resultsUri="/tmp/bad.json"),
    "an unknown version": message("bad", modelVersion="20990101-00000000"),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_an_invalid_message_does_not_fail_the_others(deliver, results, bad):
    assert deliver(message("first", seed=1), bad, message("third", seed=2)) == [1]
    assert results.names() == ["first.json", "third.json"]


def test_an_unexpected_error_does_not_fail_the_others(deliver, results, folder, monkeypatch):
    (folder / "candles").mkdir()
    (folder / "candles/none.parquet").touch()
    monkeypatch.setattr("handler.candle_file.read_candles", lambda *_, **__: 1 / 0)
    assert deliver(message("first"), BAD["a missing file"], message("third")) == [1]
    assert results.names() == ["first.json", "third.json"]


def test_messages_share_engine_calls_of_at_most_max_batch_frames(deliver, engine_calls, results, monkeypatch):
    monkeypatch.setenv("MAX_BATCH", "10")
    assert deliver(message("first", 214, seed=1), "hello", message("third", 207, seed=2)) == [1]
    assert engine_calls == [10, 10, 3]
    assert [len(results.read(name)["results"]) for name in ("first", "third")] == [15, 8]


def test_each_record_uses_the_version_that_it_pins(deliver, engine_calls, results, models, folder):
    pinned = publish_model(models, folder / "other bundle", "-2.0")
    versions = {"new": None, "old": pinned, "newer": None, "older": pinned}
    batch = [message(name, seed=seed, modelVersion=version) for seed, (name, version) in enumerate(versions.items())]
    assert deliver(*batch) == []
    assert [results.read(name)["results"][0]["predictions"]["maxRisePct"] for name in versions] == [1.5, -2.0, 1.5, -2.0]
    assert engine_calls == [2, 2]


def test_a_message_succeeds_only_after_its_result_is_written(deliver, results, monkeypatch):
    write = FolderStorage.write

    def fail(self, key, *args, **kwargs):
        if key == "second.json":
            raise Unavailable("S3 is unavailable")
        return write(self, key, *args, **kwargs)

    batch = [message(name, seed=seed) for seed, name in enumerate(("first", "second", "third"))]
    with monkeypatch.context() as patch:
        patch.setattr(FolderStorage, "write", fail)
        assert deliver(*batch) == [1]
    assert results.names() == ["first.json", "third.json"]
    assert deliver(*batch) == []
    assert results.names() == ["first.json", "second.json", "third.json"]


def test_a_message_twice_in_one_batch_is_predicted_once(deliver, results, engine_calls):
    assert deliver(message("one"), message("one")) == []
    assert engine_calls == [1]


def test_out_of_time_returns_the_remaining_records_after_writing_the_finished_ones(results, engine_calls, monkeypatch):
    monkeypatch.setenv("MAX_BATCH", "5")
    left_ms = iter([60_000, 30_000, 9_000])
    context = LocalContext()
    monkeypatch.setattr(LocalContext, "get_remaining_time_in_millis", lambda _: next(left_ms))
    event = queue_event(message("first", 204, seed=1), message("second", 203, seed=2), message("third", 210, seed=3))
    response = app.lambda_handler(event, context)
    assert failed_ids(response) == [event["Records"][2]["messageId"]]
    assert results.names() == ["first.json", "second.json"]
    assert engine_calls == [5, 5]


@pytest.mark.usefixtures("broken_engine")
def test_an_engine_failure_returns_all_records(deliver, results):
    assert deliver(message("first", seed=1), message("second", seed=2)) == [0, 1]
    assert results.names() == []


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
