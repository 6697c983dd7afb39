import json
from dataclasses import dataclass

import pyarrow.parquet as pq
import pytest

from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.errors import Unavailable
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.prediction.series import Series
from coinfarm.serving.response import response_document
from coinfarm.storage.folder import FolderStorage
from handler import app, message_batch
from handler.local_events import LocalContext
from tests.support.demo_requests import MINUTE_MS, START_MS, demo_candles, demo_request, queue_event
from tests.support.fake_models import promote_model, publish_model


def message(name, count=200, seed=1, **fields):
    """One whose answer goes to NAME.json."""
    return {**demo_request(count, seed), "resultsUri": f"{name}.json", **fields}


def failures(response):
    """The ids of the messages that go back to the queue, in the shape that Lambda's event source reads."""
    assert list(response) == ["batchItemFailures"]
    assert all(list(failure) == ["itemIdentifier"] for failure in response["batchItemFailures"])
    return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]


@dataclass
class Results:
    folder: object

    def names(self):
        return sorted(path.name for path in self.folder.rglob("*") if path.is_file())

    def __getitem__(self, name):
        return json.loads((self.folder / f"{name}.json").read_text())


@pytest.fixture
def results(folder):
    return Results(folder / "results")


@pytest.fixture
def deliver(invoke):
    """Let SQS deliver messages (a string is a body as it is); the answer is which of them failed, by their place in the batch."""

    def deliver(*messages):
        event = queue_event(*messages)
        for record, message in zip(event["Records"], messages, strict=True):
            record["body"] = message if isinstance(message, str) else record["body"]
        ids = [record["messageId"] for record in event["Records"]]
        return [ids.index(failed) for failed in failures(invoke(event))]

    return deliver


def test_an_answer_is_written_as_json(deliver, results):
    assert deliver(message("one", 202)) == []
    written = results["one"]
    assert written.pop("messageId")
    model = app.service().model()
    assert written == json.loads(json.dumps(response_document(model, app.service().predictor().predict(Series(demo_candles(202))))))


def test_an_answer_is_written_as_parquet(deliver, results):
    assert deliver(message("one", 202, resultsUri="deep/below/one.parquet")) == []
    table = pq.read_table(results.folder / "deep/below/one.parquet")
    assert table.column_names == [
        "open_time",
        "close_time",
        "in_sample",
        "filled_candles",
        "max_rise_pct",
        "max_decline_pct",
        "end_change_pct",
    ]
    assert table["open_time"].to_pylist() == [START_MS, START_MS + MINUTE_MS, START_MS + 2 * MINUTE_MS]
    assert table["max_rise_pct"].to_pylist() == [1.5, 1.5, 1.5]
    assert json.loads(table.schema.metadata[b"model"])["name"] == "fake"


@pytest.fixture
def candle_file(folder):
    (folder / "candles").mkdir()
    (folder / "candles/DEMOUSD-1m.parquet").write_bytes(parquet_from_candles(demo_candles(600)))
    return {"symbol": "DEMOUSD", "interval": "1m", "candlesUri": "DEMOUSD-1m.parquet"}


@pytest.mark.parametrize(
    ("period", "opened", "windows"),
    [
        pytest.param({}, 0, 401, id="all of the file"),
        pytest.param({"from": "2026-01-01T01:00:00Z"}, 60, 341, id="from"),
        pytest.param({"to": "2026-01-01T03:21:00Z"}, 0, 2, id="to, which is exclusive"),
        pytest.param(
            {"from": "2026-01-01T02:00:00+01:00", "to": "2026-01-01T06:00:00"}, 60, 101, id="another zone, and none, which is UTC"
        ),
    ],
)
def test_candles_come_from_a_stretch_of_a_file(deliver, results, candle_file, period, opened, windows):
    assert deliver({**candle_file, **period, "resultsUri": "one.json"}) == []
    answered = results["one"]["results"]
    assert (answered[0]["openTime"], len(answered)) == (START_MS + opened * MINUTE_MS, windows)


def test_absolute_uris_are_taken_inside_the_roots(deliver, results, candle_file, folder):
    uris = {"candlesUri": str(folder / "candles/DEMOUSD-1m.parquet"), "resultsUri": (folder / "results/one.json").as_uri()}
    assert deliver({**candle_file, **uris}) == []
    assert results.names() == ["one.json"]


BAD = {
    "not JSON": "hello",
    "an array": [],
    "no shard": {"hello": "world"},
    "an impossible candle": message("bad", candles=[[START_MS, "1", "2", "3", "1", "0"]] * 200),
    "too few candles": message("bad", count=199),
    "an ending of no known kind": message("bad", resultsUri="bad.csv"),
    "no candles at all": {"symbol": "DEMOUSD", "interval": "1m", "resultsUri": "bad.json"},
    "candles from two places": message("bad", candlesUri="DEMOUSD-1m.parquet"),
    "a stretch of inline candles": message("bad", **{"from": "2026-01-01"}),
    "a file that is not there": {"symbol": "DEMOUSD", "interval": "1m", "candlesUri": "none.parquet", "resultsUri": "bad.json"},
    "candles outside of the root": {"symbol": "DEMOUSD", "interval": "1m", "candlesUri": "/etc/passwd", "resultsUri": "bad.json"},
    "candles above the root": {"symbol": "DEMOUSD", "interval": "1m", "candlesUri": "../models/current.json", "resultsUri": "bad.json"},
    "candles of another bucket": {"symbol": "DEMOUSD", "interval": "1m", "candlesUri": "s3://theirs/x.parquet", "resultsUri": "bad.json"},
    "a result outside of the root": message("bad", resultsUri="/tmp/bad.json"),
    "a result above the root": message("bad", resultsUri="../bad.json"),
    "a result in another bucket": message("bad", resultsUri="s3://theirs/bad.json"),
    "an unknown version": message("bad", modelVersion="20990101-00000000"),
    "no version": message("bad", modelVersion="../current"),
}


@pytest.mark.parametrize("bad", [pytest.param(body, id=name) for name, body in BAD.items()])
def test_one_bad_record_does_not_fail_its_neighbours(deliver, results, bad):
    assert deliver(message("first", seed=1), bad, message("third", seed=2)) == [1]
    assert results.names() == ["first.json", "third.json"]


def test_a_record_that_fails_in_a_way_nobody_thought_of_does_not_fail_its_neighbours(deliver, results, candle_file, monkeypatch):
    def explode(*args, **kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr("handler.jobs.parse_candles", explode)
    assert deliver(message("first"), {**candle_file, "resultsUri": "bad.json"}, message("third")) == [1]
    assert results.names() == ["first.json", "third.json"]


@pytest.mark.parametrize(("variable", "field"), [("RESULTS_ROOT", "resultsUri"), ("CANDLES_ROOT", "candlesUri")])
def test_uris_are_refused_where_no_root_says_where_they_may_point(deliver, candle_file, monkeypatch, caplog, variable, field):
    monkeypatch.delenv(variable)
    assert deliver({**candle_file, "resultsUri": "one.json"}) == [0]
    problem = next(record.problem for record in caplog.records if record.message == "record failed")
    assert problem["errors"] == [{"pointer": f"/{field}", "detail": f"is refused, because {variable} does not say where it may point"}]


def test_the_good_records_share_engine_calls(deliver, engine_calls, results):
    assert deliver(message("first", 210, seed=1), "hello", message("third", 220, seed=2), message("fourth", 205, seed=3)) == [1]
    assert engine_calls == [11 + 21 + 6]
    assert [len(results[name]["results"]) for name in ("first", "third", "fourth")] == [11, 21, 6]


def test_no_engine_call_is_larger_than_a_batch(deliver, engine_calls, results, monkeypatch):
    monkeypatch.setenv("MAX_BATCH", "10")
    assert deliver(message("first", 214, seed=1), message("second", 207, seed=2)) == []
    assert engine_calls == [10, 10, 3]
    assert [len(results[name]["results"]) for name in ("first", "second")] == [15, 8]


def test_each_pinned_version_predicts_its_own_records(deliver, engine_calls, results, models, folder):
    pinned = publish_model(models, folder / "other bundle", "-2.0")
    batch = [
        message("new", seed=1),
        message("old", seed=2, modelVersion=pinned),
        message("newer", seed=3),
        message("older", seed=4, modelVersion=pinned),
    ]
    assert deliver(*batch) == []
    rises = {name: results[name]["results"][0]["predictions"]["maxRisePct"] for name in ("new", "old", "newer", "older")}
    assert rises == {"new": 1.5, "old": -2.0, "newer": 1.5, "older": -2.0}
    assert engine_calls == [2, 2]


def test_a_record_counts_as_done_only_after_its_result_is_written(deliver, results, monkeypatch):
    write = FolderStorage.write

    def fail_once(self, key, *args, **kwargs):
        if key == "second.json":
            raise Unavailable("S3 cannot answer now")
        return write(self, key, *args, **kwargs)

    batch = [message("first", seed=1), message("second", seed=2), message("third", seed=3)]
    monkeypatch.setattr(FolderStorage, "write", fail_once)
    assert deliver(*batch) == [1]
    assert results.names() == ["first.json", "third.json"]
    monkeypatch.setattr(FolderStorage, "write", write)
    assert deliver(*batch) == []
    assert results.names() == ["first.json", "second.json", "third.json"]


@pytest.mark.parametrize("ending", ["json", "parquet"])
def test_delivered_twice_changes_nothing_even_if_a_model_was_promoted_in_between(deliver, results, engine_calls, models, folder, ending):
    asked = message("one", resultsUri=f"one.{ending}")
    path = results.folder / f"one.{ending}"
    assert deliver(asked) == []
    written, status = path.read_bytes(), path.stat()
    promote_model(models, folder / "next bundle", "2.5")
    assert deliver(asked) == []
    assert path.read_bytes() == written
    assert path.stat().st_mtime_ns == status.st_mtime_ns
    assert engine_calls == [1]


def test_another_message_replaces_the_answer_at_its_place(deliver, results):
    deliver(message("one", 200))
    deliver(message("one", 203))
    assert len(results["one"]["results"]) == 4


@pytest.mark.parametrize("rubbish", [b"", b"hello", b'["a"]', b'{"messageId": 7}'], ids=["empty", "no JSON", "an array", "no id"])
def test_what_else_lies_at_its_place_is_replaced(deliver, results, rubbish):
    results.folder.mkdir()
    (results.folder / "one.json").write_bytes(rubbish)
    assert deliver(message("one")) == []
    assert len(results["one"]["results"]) == 1


def test_a_message_twice_in_one_batch_is_answered_once(deliver, results, engine_calls):
    assert deliver(message("one"), message("one")) == []
    assert engine_calls == [1]


def test_when_time_runs_short_the_rest_is_given_back_and_what_is_finished_is_written(results, engine_calls, monkeypatch):
    monkeypatch.setenv("MAX_BATCH", "5")
    seconds_left = iter([60, 30, 9])

    class Context(LocalContext):
        def get_remaining_time_in_millis(self):
            return 1000 * next(seconds_left)

    event = queue_event(message("first", 204, seed=1), message("second", 203, seed=2), message("third", 210, seed=3))
    response = app.lambda_handler(event, Context())
    assert failures(response) == [event["Records"][2]["messageId"]]
    assert results.names() == ["first.json", "second.json"]
    assert engine_calls == [5, 5]


@pytest.mark.usefixtures("broken_engine")
def test_when_the_engine_fails_all_that_is_unfinished_is_given_back(deliver, results):
    assert deliver(message("first", seed=1), message("second", seed=2)) == [0, 1]
    assert results.names() == []


def test_without_a_model_all_is_given_back(deliver, monkeypatch):
    monkeypatch.setenv("MODEL_URI", "/nowhere")
    assert deliver(message("first"), message("second", seed=2)) == [0, 1]


def test_more_windows_than_a_record_may_have_fail_it(deliver, results, monkeypatch):
    monkeypatch.setenv("MAX_RECORD_FRAMES", "10")
    assert deliver(message("much", 210, seed=1), message("little", 209, seed=2)) == [0]
    assert results.names() == ["little.json"]


def test_results_hold_every_output_of_each_window(deliver, results):
    deliver(message("one"))
    assert list(results["one"]["results"][0]["predictions"]) == list(OUTPUT_NAMES)


def test_what_may_have_ended_its_function_before_is_worked_on_alone_after_the_others(invoke, results, monkeypatch):
    worked, work = [], message_batch.process_messages
    monkeypatch.setattr(message_batch, "process_messages", lambda messages, *rest: (worked.append(len(messages)), work(messages, *rest))[1])
    event = queue_event(message("bad", count=100), message("suspicious"), message("one"), message("another"))
    for record in event["Records"][:2]:
        record["attributes"]["ApproximateReceiveCount"] = "3"
    assert failures(invoke(event)) == [event["Records"][0]["messageId"]]
    assert worked == [2, 1, 1]
    assert results.names() == ["another.json", "one.json", "suspicious.json"]
