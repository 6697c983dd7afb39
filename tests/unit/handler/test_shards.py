"""Backfill shards as SQS messages."""

import json
from datetime import date

import pytest

from coinfarm.backfill.shard import Shard
from coinfarm.backfill.shard_result import read_result
from coinfarm.storage import open_storage
from handler import app
from tests.support.candle_stores import stored, synthetic_history
from tests.support.demo_requests import EVENTS, demo_request
from tests.support.fake_models import promote_model


@pytest.fixture
def version():
    return app.service().model().version


@pytest.fixture
def shard(folder, version):
    """Makes messages for a candle store with three days of minutes and twenty days of hours."""
    stored(folder / "candles", synthetic_history(3), synthetic_history(20, interval="1h", symbol="DEMOETH"))

    def shard(day=2, symbol="DEMOUSD", interval="1m", **fields):
        roots = {"candlesUri": str(folder / "candles"), "resultsUri": str(folder / "results")}
        shard = {"symbol": symbol, "interval": interval, "date": f"2026-01-{day:02}", "stride": 1, "modelVersion": version}
        return {**shard, **roots, **fields}

    return shard


@pytest.fixture
def result(folder, version):
    """The result of a message's shard, or None."""

    def result(message, folder=folder / "results", version=version):
        shard = Shard(message["symbol"], message["interval"], date.fromisoformat(message["date"]), message["stride"])
        return read_result(shard, version, open_storage(str(folder)))

    return result


def test_a_second_delivery_predicts_nothing(deliver, shard, result, engine_calls):
    assert deliver(shard()) == []
    found = result(shard())
    assert found.counts.predicted == len(found.table) == 1440
    assert set(found.table["max_rise_pct"].to_pylist()) == {1.5}
    calls = len(engine_calls)
    assert deliver(shard()) == []
    assert len(engine_calls) == calls


def test_shards_share_engine_calls_and_use_the_version_that_they_pin(deliver, shard, result, results, engine_calls, models, folder):
    promote_model(models, folder / "newest bundle", "7.0")
    shards = [shard(day, "DEMOETH", "1h") for day in (12, 13)]
    assert deliver(shards[0], {**demo_request(211), "resultsUri": "one.json"}, shards[1]) == []
    assert [result(message).counts.predicted for message in shards] == [24, 24]
    assert engine_calls == [48, 12]
    assert result(shards[0]).table["max_rise_pct"][0].as_py() == 1.5
    assert results.read("one")["results"][0]["predictions"]["maxRisePct"] == 7


def test_a_day_without_candles_succeeds(deliver, shard, result):
    assert deliver(shard(9)) == []
    assert result(shard(9)).counts.no_candles == 1440


@pytest.mark.parametrize("uri", ["deeper", "{folder}/results/deeper", "file://{folder}/results/deeper", "{folder}/results/deeper/"])
def test_accepts_roots_and_folders_inside_them(deliver, shard, result, folder, uri):
    message = shard(resultsUri=uri.format(folder=folder))
    assert deliver(message) == []
    assert result(message, folder / "results/deeper").counts.predicted == 1440


@pytest.mark.parametrize(
    "wrong",
    [
        {"candlesUri": "{folder}/candles-of-others"},  # a sibling with the same prefix
        {"resultsUri": "/tmp"},
        {"modelVersion": "20990101-00000000"},
        {"gaps": "reject"},
        {"symbol": "NONEUSD"},
    ],
    ids=str,
)
def test_an_invalid_shard_does_not_fail_the_others(deliver, shard, folder, wrong):
    (folder / "candles-of-others").mkdir()
    wrong = {name: value.format(folder=folder) for name, value in wrong.items()}
    assert deliver(shard(2), shard(1, **wrong), shard(3)) == [1]
    written = {path.name for path in (folder / "results").rglob("*.parquet")}
    assert written == {"date=2026-01-02.parquet", "date=2026-01-03.parquet"}


def test_a_damaged_day_fails_the_shards_that_need_it(deliver, shard, result, folder):
    first = shard(1)
    (folder / "candles/candles/symbol=DEMOUSD/interval=1m/date=2026-01-02.parquet").write_bytes(b"PAR1 truncated")
    assert deliver(first, shard(2), shard(3)) == [1, 2]
    assert result(first) is not None


def test_processes_the_example_event(invoke, monkeypatch, folder, version):
    """The event pins a version of the reference model, which this test replaces by its own."""
    event = json.loads((EVENTS / "shards.json").read_text())
    for record in event["Records"]:
        record["body"] = json.dumps({**json.loads(record["body"]), "modelVersion": version})
    monkeypatch.setenv("CANDLES_ROOT", str(EVENTS / "candles"))
    app.service.cache_clear()
    assert invoke(event) == {"batchItemFailures": []}
    results = open_storage(str(folder / "results/shards"))
    counts = [read_result(Shard("DEMOUSD", "1m", date(2026, 1, day)), version, results).counts for day in (1, 2)]
    assert [(day.predicted, day.too_few_before, day.no_candles) for day in counts] == [(281, 199, 960), (0, 0, 1440)]
