"""Prediction requests as SQS messages."""

import json

import pyarrow.parquet as pq
import pytest

from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.prediction.series import Series
from coinfarm.serving.response import response_document
from handler import app
from tests.support.demo_requests import MINUTE_MS, START_MS, demo_candles, message
from tests.support.fake_models import promote_model


def test_writes_json_results(deliver, results):
    assert deliver(message("one", 202)) == []
    written = results.read("one")
    assert written.pop("messageId")
    model = app.service().model()
    assert written == json.loads(json.dumps(response_document(model, app.service().predictor().predict(Series(demo_candles(202))))))


def test_writes_parquet_results(deliver, results):
    assert deliver(message("one", 202, resultsUri="deep/below/one.parquet")) == []
    table = pq.read_table(results.folder / "deep/below/one.parquet")
    assert table["max_rise_pct"].to_pylist() == [1.5, 1.5, 1.5]
    assert json.loads(table.schema.metadata[b"model"])["name"] == "fake"


@pytest.fixture
def candle_file(folder):
    (folder / "candles").mkdir()
    (folder / "candles/DEMOUSD-1m.parquet").write_bytes(parquet_from_candles(demo_candles(600)))
    return {"symbol": "DEMOUSD", "interval": "1m", "candlesUri": "DEMOUSD-1m.parquet", "resultsUri": "one.json"}


@pytest.mark.parametrize(
    ("period", "opened", "windows"),
    [
        pytest.param({}, 0, 401, id="all of the file"),
        pytest.param({"to": "2026-01-01T03:21:00Z"}, 0, 2, id="to, which is exclusive"),
        pytest.param({"from": "2026-01-01T02:00:00+01:00", "to": "2026-01-01T06:00:00"}, 60, 101, id="other zones"),
    ],
)
def test_predicts_a_period_of_a_candle_file(deliver, results, candle_file, period, opened, windows):
    assert deliver({**candle_file, **period}) == []
    found = results.read("one")["results"]
    assert (found[0]["openTime"], len(found)) == (START_MS + opened * MINUTE_MS, windows)


@pytest.mark.parametrize("is_shard", [False, True], ids=["request", "shard"])
@pytest.mark.parametrize(("variable", "field"), [("RESULTS_ROOT", "resultsUri"), ("CANDLES_ROOT", "candlesUri")])
def test_rejects_uris_without_a_configured_root(deliver, candle_file, monkeypatch, caplog, variable, field, is_shard):
    monkeypatch.delenv(variable)
    shard = {"date": "2026-01-01", "modelVersion": "20260101-00000000", "candlesUri": "a", "resultsUri": "b"}
    assert deliver({**candle_file, **(shard if is_shard else {})}) == [0]
    (error,) = next(record.problem for record in caplog.records if hasattr(record, "problem"))["errors"]
    assert error["pointer"] == f"/{field}"
    assert variable in error["detail"]


@pytest.mark.parametrize("suffix", ["json", "parquet"])
def test_a_second_delivery_keeps_the_result_even_after_a_promotion(deliver, results, engine_calls, models, folder, suffix):
    repeated = message("one", resultsUri=f"one.{suffix}")
    path = results.folder / f"one.{suffix}"
    assert deliver(repeated) == []
    written, status = path.read_bytes(), path.stat()
    promote_model(models, folder / "next bundle", "2.5")
    assert deliver(repeated) == []
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (written, status.st_mtime_ns)
    assert engine_calls == [1]


def test_replaces_other_files_and_results_of_other_messages(deliver, results):
    results.folder.mkdir()
    (results.folder / "one.json").write_bytes(b"hello")
    for count in (200, 203):
        assert deliver(message("one", count)) == []
        assert len(results.read("one")["results"]) == count - 199


def test_rejects_messages_over_max_record_frames(deliver, results, monkeypatch):
    monkeypatch.setenv("MAX_RECORD_FRAMES", "10")
    assert deliver(message("much", 210, seed=1), message("little", 209, seed=2)) == [0]
    assert results.names() == ["little.json"]
