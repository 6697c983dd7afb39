"""Messages and requests that name places outside their roots are rejected, and nothing is read or written there."""

import json
import logging
from unittest.mock import Mock

import pytest

from coinfarm.candle_store.store import CandleStore
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.errors import Forbidden, InvalidInput
from coinfarm.serving.settings import Settings
from coinfarm.storage import open_inside, open_storage, s3
from handler import app
from handler.jobs import Message, MessageReader
from handler.message_batch import process_messages
from tests.support.demo_requests import demo_candles, demo_request, failed_ids, queue_event

EVIL = {
    "a foreign bucket": "s3://theirs/a",
    "a bucket with the same prefix": "s3://results-evil/a",
    "our bucket with a port": "s3://results:80/a",
    "our bucket as user name": "s3://results@evil/a",
    "the scheme in capitals": "S3://results/prefix/a",
    "another prefix of our bucket": "s3://results/prefix-of-others/a",
    "up and out": "s3://results/prefix/../a",
    "up and out, in the middle": "a/../../a",
    "no bucket": "s3:///a",
    "a file": "file:///etc/passwd",
    "a path with two slashes": "//evil/a",
    "the instance's credentials": "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
    "an invalid address": "http://[::1",
    "a backslash": "..\\a",
    "a null byte": "a\x00b",
    "a line break": "a\nb",
    "a name too long for a file": "a" * 300,
    "a key too long for S3": "😀/" * 250 + "a",
}


SHARD = {"symbol": "DEMOUSD", "interval": "1m", "date": "2026-01-01", "modelVersion": "20260101-00000000"}
OURS = {"candlesUri": "s3://candles/prefix/a.json", "resultsUri": "s3://results/prefix/a.json"}


def messages_of(evil):
    """Messages of every kind with the URI in each field."""
    of_candles = evil.replace("results", "candles")
    yield "/candlesUri", {**SHARD, **OURS, "candlesUri": of_candles}
    yield "/resultsUri", {**SHARD, **OURS, "resultsUri": evil}
    yield "/resultsUri", {**demo_request(), "resultsUri": f"{evil}.json"}
    yield "/candlesUri", {"symbol": "DEMOUSD", "interval": "1m", **OURS, "candlesUri": f"{of_candles}.json"}


@pytest.mark.parametrize("evil", EVIL.values(), ids=EVIL)
def test_rejects_uris_outside_the_roots_without_access(evil, monkeypatch):
    client = Mock()
    monkeypatch.setattr(s3, "_client", lambda: client)
    settings = Settings(candles_root="s3://candles/prefix", results_root="s3://results/prefix")
    for pointer, message in messages_of(evil):
        with pytest.raises(InvalidInput) as error:
            MessageReader(settings).job(Message("1", json.dumps(message)))[1].series()
        assert error.value.errors[0].pointer == pointer
    assert client.mock_calls == []


@pytest.mark.parametrize("evil", ["%2e%2e/a.json", "~/a.json", "$HOME/a.json", "C:/a.json", "-rf.json", "a b'\".json"])
def test_accepts_names_that_only_look_like_traversal(evil, invoke, folder):
    assert invoke(queue_event({**demo_request(), "resultsUri": evil})) == {"batchItemFailures": []}
    assert (folder / "results" / evil).is_file()


def test_shards_do_not_follow_links_out_of_a_root(tmp_path):
    (tmp_path / "root").mkdir()
    CandleStore(open_storage(str(tmp_path / "secret"))).write_day(demo_candles())
    (tmp_path / "root/link").symlink_to(tmp_path / "secret")
    for uri in ("link", str(tmp_path / "root/link"), (tmp_path / "root/link").as_uri(), "link/candles"):
        with pytest.raises(Forbidden, match="link"):
            open_inside(uri, str(tmp_path / "root"))


def test_messages_do_not_follow_links_out_of_a_root(invoke, folder):
    outside = folder / "outside"
    outside.mkdir()
    (outside / "secret.parquet").write_bytes(parquet_from_candles(demo_candles()))
    for root in ("candles", "results"):
        (folder / root).mkdir()
        (folder / root / "link").symlink_to(outside)
    reads = {"symbol": "DEMOUSD", "interval": "1m", "candlesUri": "link/secret.parquet", "resultsUri": "a.json"}
    writes = {**demo_request(), "resultsUri": "link/new.json"}
    event = queue_event(reads, writes, {**demo_request(), "resultsUri": "good.json"})
    assert failed_ids(invoke(event)) == [record["messageId"] for record in event["Records"][:2]]
    assert [path.name for path in outside.iterdir()] == ["secret.parquet"]
    assert [path.name for path in (folder / "results").iterdir() if not path.is_symlink()] == ["good.json"]


@pytest.mark.parametrize(
    "evil", ["../../etc/passwd", "..%2f..%2fetc", "/etc/passwd", "20260101-00000000/../x", "bare-00000000\n", "٢٠٢٦٠١٠١-00000000"]
)
def test_rejects_versions_that_are_paths(send, invoke, folder, evil):
    before = sorted(folder.rglob("*"))
    assert send("POST", "/predictions", demo_request(modelVersion=evil)).status in (404, 422)
    assert send("GET", "/model", query={"version": evil}).status in (404, 422)
    assert invoke(demo_request(modelVersion=evil))["status"] in (404, 422)
    event = queue_event({**demo_request(), "resultsUri": "a.json", "modelVersion": evil})
    assert len(invoke(event)["batchItemFailures"]) == 1
    new = [path for path in sorted(folder.rglob("*")) if path not in before and path.is_file()]
    assert [path for path in new if "models" in path.parts or "results" in path.parts] == []


@pytest.mark.parametrize("evil", ["../../models", "/etc", "a/../b", "a/b/c", "..", ".hidden", "a\\b", "A" * 33, "A\n", "symbol=A"])
def test_rejects_symbols_that_are_paths(send, evil, folder, caplog):
    response = send("POST", "/predictions", {**demo_request(), "symbol": evil})
    assert (response.status, response.json()["errors"][0]["pointer"]) == (422, "/symbol")
    shard = {**SHARD, "symbol": evil, "candlesUri": "a", "resultsUri": "a"}
    with caplog.at_level(logging.CRITICAL, "coinfarm"):
        outcomes = process_messages([Message("1", json.dumps(shard))], app.service(), lambda: None)
    assert isinstance(outcomes.failures["1"], InvalidInput)
    assert not (folder / "results").exists()
