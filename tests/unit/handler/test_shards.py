"""Shards of a backfill, as messages of the queue."""

import json
from datetime import date

import pytest

from coinfarm.backfill.shard import Shard
from coinfarm.backfill.shard_result import read_result
from coinfarm.storage import open_storage
from handler import app
from tests.support.candle_stores import stored, synthetic_history
from tests.support.demo_requests import EVENTS, demo_request, queue_event
from tests.support.fake_models import promote_model, publish_model


@pytest.fixture
def store(folder):
    """Three days of minutes and twenty of hours, in the folder that messages may read."""
    stored(folder / "candles", synthetic_history(3), synthetic_history(20, interval="1h", symbol="DEMOETH"))


@pytest.fixture
def version():
    return app.service().model().version


@pytest.fixture
def shard(store, folder, version):
    def shard(day=2, symbol="DEMOUSD", interval="1m", **fields):
        roots = {"candlesUri": str(folder / "candles"), "resultsUri": str(folder / "results")}
        asked = {"symbol": symbol, "interval": interval, "date": f"2026-01-{day:02}", "stride": 1, "modelVersion": version}
        return {**asked, **roots, **fields}

    return shard


@pytest.fixture
def deliver(invoke):
    """Let SQS deliver messages; the answer is which of them failed, by their place in the batch."""

    def deliver(*messages):
        event = queue_event(*messages)
        ids = [record["messageId"] for record in event["Records"]]
        return [ids.index(failure["itemIdentifier"]) for failure in invoke(event)["batchItemFailures"]]

    return deliver


@pytest.fixture
def result(folder, version):
    """The result of a message's shard, None where there is none."""

    def result(message, folder=folder / "results", version=version):
        asked = Shard(message["symbol"], message["interval"], date.fromisoformat(message["date"]), message["stride"])
        return read_result(asked, version, open_storage(str(folder)))

    return result


def test_a_shard_leaves_its_result(deliver, shard, result):
    message = shard()
    assert deliver(message) == []
    found = result(message)
    assert found.account.predicted == len(found.table) == 1440
    assert set(found.table["max_rise_pct"].to_pylist()) == {1.5}


def test_shards_and_requests_share_the_engine_s_batches(deliver, shard, result, engine_calls):
    shards = [shard(day, "DEMOETH", "1h") for day in (12, 13)]
    assert deliver(shards[0], {**demo_request(211), "resultsUri": "one.json"}, shards[1]) == []
    assert [result(message).account.predicted for message in shards] == [24, 24]
    assert engine_calls == [48, 12], "the request is answered by the model in service, the shards by the one that they pin"


def test_many_shards_share_one_batch(deliver, shard, result, engine_calls):
    shards = [shard(day, "DEMOETH", "1h", stride=2) for day in range(10, 20)]
    assert deliver(*shards) == []
    assert engine_calls == [100, 20]
    assert all(result(message).account.predicted == 12 for message in shards)


def test_a_shard_is_predicted_with_the_version_that_it_pins(deliver, shard, result, models, folder, version):
    other = publish_model(models, folder / "other bundle", "-2.0")
    promote_model(models, folder / "newest bundle", "7.0")
    first, second = shard(), shard(modelVersion=other)
    assert deliver(first, second) == []
    assert result(first, version=version).table["max_rise_pct"][0].as_py() == 1.5
    assert result(second, version=other).table["max_rise_pct"][0].as_py() == -2.0


def test_delivered_twice_it_is_done_once(deliver, shard, engine_calls):
    deliver(shard())
    calls = len(engine_calls)
    assert deliver(shard()) == []
    assert len(engine_calls) == calls


def test_a_day_without_candles_is_no_failure(deliver, shard, result):
    message = shard(day=9)
    assert deliver(message) == []
    assert result(message).account.no_candles == 1440


@pytest.mark.parametrize("root", ["relative", "a folder inside it", "a file URI", "with a slash"])
def test_roots_may_be_the_allowed_ones_or_inside_them(deliver, shard, result, folder, root):
    inside = {
        "relative": "deeper",
        "a folder inside it": str(folder / "results/deeper"),
        "a file URI": (folder / "results").as_uri(),
        "with a slash": f"{folder / 'results'}/",
    }[root]
    message = shard(resultsUri=inside)
    assert deliver(message) == []
    assert result(message, folder / "results/deeper" if "deeper" in inside else folder / "results").account.predicted == 1440


BAD = {
    "candles outside of the root": {"candlesUri": "/etc"},
    "candles above the root": {"candlesUri": "../models"},
    "candles of a sibling whose name begins alike": {"candlesUri": "FOLDER/candles-of-others"},
    "candles of another bucket": {"candlesUri": "s3://theirs"},
    "results outside of the root": {"resultsUri": "/tmp"},
    "results above the root": {"resultsUri": "FOLDER/results/../models"},
    "results in another bucket": {"resultsUri": "s3://theirs/results"},
    "a symbol that leads elsewhere": {"symbol": "../../models"},
    "an interval that does not divide the day": {"interval": "7m"},
    "a day that there is not": {"date": "2026-02-30"},
    "no version": {"modelVersion": "latest"},
    "a version that there is not": {"modelVersion": "20990101-00000000"},
    "a stride of nothing": {"stride": 0},
    "a field nobody knows": {"gaps": "reject"},
    "a symbol without candles": {"symbol": "NONEUSD"},
}


@pytest.mark.parametrize("wrong", [pytest.param(fields, id=name) for name, fields in BAD.items()])
def test_one_bad_shard_does_not_fail_its_neighbours(deliver, shard, result, folder, wrong):
    (folder / "candles-of-others").mkdir()
    wrong = {name: value.replace("FOLDER", str(folder)) if isinstance(value, str) else value for name, value in wrong.items()}
    before, after = shard(2), shard(3)
    assert deliver(before, {**shard(1), **wrong}, after) == [1]
    assert result(before) is not None
    assert result(after) is not None
    written = {path.name for path in (folder / "results").rglob("*.parquet")}
    assert written == {"date=2026-01-02.parquet", "date=2026-01-03.parquet"}


@pytest.mark.parametrize(("variable", "field"), [("RESULTS_ROOT", "resultsUri"), ("CANDLES_ROOT", "candlesUri")])
def test_shards_are_refused_where_no_root_says_where_they_may_point(deliver, shard, monkeypatch, caplog, variable, field):
    message = shard()
    monkeypatch.delenv(variable)
    app.service.cache_clear()
    assert deliver(message) == [0]
    problem = next(record.problem for record in caplog.records if record.message == "record failed")
    assert problem["errors"] == [{"pointer": f"/{field}", "detail": f"is refused, because {variable} does not say where it may point"}]


def test_a_damaged_day_fails_the_shards_that_need_it(deliver, shard, result, folder):
    (folder / "candles/candles/symbol=DEMOUSD/interval=1m/date=2026-01-02.parquet").write_bytes(b"PAR1 and no more")
    first = shard(1)
    assert deliver(first, shard(2), shard(3)) == [1, 2]
    assert result(first) is not None


def test_the_event_of_shards_leaves_their_results(invoke, monkeypatch, folder, models):
    """Its candles and messages are as they are; the version is one that this test has."""
    event = json.loads((EVENTS / "shards.json").read_text())
    version = app.service().model().version
    for record in event["Records"]:
        record["body"] = json.dumps({**json.loads(record["body"]), "modelVersion": version})
    monkeypatch.setenv("CANDLES_ROOT", str(EVENTS / "candles"))
    app.service.cache_clear()
    assert invoke(event) == {"batchItemFailures": []}
    results = open_storage(str(folder / "results/shards"))
    accounts = [read_result(Shard("DEMOUSD", "1m", date(2026, 1, day)), version, results).account for day in (1, 2)]
    assert [(account.predicted, account.too_few_before, account.no_candles) for account in accounts] == [(281, 199, 960), (0, 0, 1440)]
