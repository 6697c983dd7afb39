"""A backfill with S3 and SQS of moto's server, and the Lambda handler as the consumer of the queue."""

import json
from pathlib import Path
from uuid import uuid4

import boto3
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from coinfarm.backfill.run_manifest import Run
from coinfarm.cli import main
from coinfarm.serving.service import Service
from coinfarm.serving.settings import Settings
from coinfarm.storage import open_storage
from handler import app
from handler.local_events import LocalContext
from tests.support.backfill_runs import run_shards
from tests.support.candle_stores import store_history, synthetic_history
from tests.support.moto_server import moto_server, queue_with_dead_letter_queue

DAYS = 7
SHARDS = 2 * DAYS
STRIDE, WINDOWS = 15, 96
TOO_FEW_BEFORE = 13
"""The windows of the first day that end before its 200th candle."""
DAMAGED_DAY = "candles/symbol=DEMOETH/interval=1m/date=2026-01-07.parquet"

pytestmark = pytest.mark.enable_socket


@pytest.fixture(scope="module")
def aws():
    """S3 with three buckets, and SQS, for the clients of this process."""
    with moto_server("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        for bucket in ("candles", "models", "results"):
            boto3.client("s3").create_bucket(Bucket=bucket)
        yield


@pytest.fixture
def queue(aws):
    return queue_with_dead_letter_queue(max_receives=2)


@pytest.fixture
def root(aws, tmp_path, monkeypatch):
    """A planned run of two symbols."""
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("CANDLES_ROOT", "s3://candles")
    monkeypatch.setenv("RESULTS_ROOT", "s3://results")
    app.service.cache_clear()
    store = f"s3://candles/{uuid4()}"
    histories = [synthetic_history(DAYS, symbol=symbol, seed=seed) for seed, symbol in enumerate(("DEMOUSD", "DEMOETH"))]
    store_history(open_storage(store), *histories)
    root = f"s3://results/runs/{uuid4()}"
    request = ["--symbol", "DEMOUSD", "--symbol", "DEMOETH", "--from", "2026-01-01", "--to", "2026-01-08", "--stride", STRIDE]
    coinfarm("plan", *request, "--store", store, "--frames-per-s", 2000, run=root)
    yield root
    app.service.cache_clear()


def coinfarm(command, *arguments, run, exits=0):
    ran = CliRunner().invoke(main, ["backfill", command, "--run", run, *(str(argument) for argument in arguments)])
    assert ran.exit_code == exits, ran.output
    return ran.stdout


def status(run, exits):
    return json.loads(coinfarm("status", "--json", run=run, exits=exits))


def consume(queue, max_batches=100):
    """Consume the queue like Lambda: in batches of ten, deleting the messages that did not fail."""
    for _ in range(max_batches):
        messages = queue.receive(visibility_timeout_s=30)
        if not messages:
            return
        records = [
            {"messageId": message.message_id, "body": message.body, "eventSource": "aws:sqs", "receiptHandle": message.receipt}
            for message in messages
        ]
        response = app.lambda_handler({"Records": records}, LocalContext())
        failed = {failure["itemIdentifier"] for failure in response["batchItemFailures"]}
        assert queue.delete([message.receipt for message in messages if message.message_id not in failed]) == {}
        queue.change_visibility([message.receipt for message in messages if message.message_id in failed], 0)


def undisturbed(run, results):
    """The results of one process that processes every shard once."""
    predictor = Service(Settings(prediction_cache_frames=0)).predictor(run.manifest.model_version)
    run_shards(predictor, run.candles, results, run.manifest.shards())
    return {key: results.read(key).data for key in results.list("predictions")}


def test_backfill_from_plan_to_collected_file(root, queue, tmp_path: Path):
    run = Run.at(root)
    undamaged = run.candles.read(DAMAGED_DAY).data
    run.candles.write(DAMAGED_DAY, b"no Parquet")

    assert f"{SHARDS} shards sent" in coinfarm("submit", "--queue", queue.url, run=root)
    before = status(root, exits=3)
    assert (before["shards"], before["done"], before["waiting"], before["unsent"], before["deadLettered"]) == (SHARDS, 0, SHARDS, 0, 0)

    consume(queue, max_batches=1)
    in_progress = status(root, exits=3)
    assert (in_progress["done"], in_progress["waiting"]) == (10, SHARDS - 10)
    assert "in the queue" in CliRunner().invoke(main, ["backfill", "resume", "--run", root]).stderr

    consume(queue)
    stuck = status(root, exits=3)
    assert (stuck["done"], stuck["deadLettered"], stuck["failed"], stuck["waiting"], stuck["lost"]) == (SHARDS - 1, 1, 1, 0, 0)
    assert stuck["failures"][0]["shard"] == "DEMOETH 1m 2026-01-07"
    assert "is not a Parquet file" in stuck["failures"][0]["reason"]
    coverage = json.loads(coinfarm("collect", "-o", tmp_path / "partial.parquet", "--json", run=root, exits=3))
    assert coverage["missingShards"] == ["DEMOETH 1m 2026-01-07"]
    assert coverage["total"]["missing"] == WINDOWS

    run.candles.write(DAMAGED_DAY, undamaged)
    assert "1 message moved back" in coinfarm("redrive", run=root)
    consume(queue)
    assert status(root, exits=0)["complete"]
    coverage = json.loads(coinfarm("collect", "-o", tmp_path / "all.parquet", "--json", run=root))
    assert coverage["total"]["predicted"] == SHARDS * WINDOWS - 2 * TOO_FEW_BEFORE
    assert len(pq.read_table(tmp_path / "all.parquet")) == coverage["total"]["predicted"]
    written = {key: run.results.read(key).data for key in run.results.list("predictions")}
    assert written == undisturbed(run, open_storage(str(tmp_path / "undisturbed")))


def test_resume_sends_lost_shards_and_replaces_damaged_results(root, queue):
    coinfarm("submit", "--queue", queue.url, run=root)
    queue.delete([message.receipt for message in queue.receive()])  # ten messages are lost
    consume(queue)
    stuck = status(root, exits=3)
    assert (stuck["done"], stuck["lost"], stuck["waiting"]) == (SHARDS - 10, 10, 0)
    assert "10 shards sent" in coinfarm("resume", run=root)
    consume(queue)
    assert status(root, exits=0)["complete"]

    run = Run.at(root)
    key = next(run.manifest.shards()).key(run.manifest.model_version)
    undamaged = run.results.read(key).data
    run.results.write(key, undamaged[:-1])
    assert "0 shards sent" in coinfarm("resume", run=root)
    assert "1 shard sent" in coinfarm("resume", "--check", run=root)
    consume(queue)
    assert run.results.read(key).data == undamaged
