"""`coinfarm --stack NAME …` with a stack that moto's CloudFormation created from template.yaml."""

import json
import os
import subprocess
import sys
from pathlib import Path

import boto3
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from coinfarm.cli import main
from coinfarm.demo.stack_template import buckets_and_queues
from coinfarm.serving.settings import reference_model_uri
from tests.support.moto_server import moto_server
from tests.support.repository import ROOT

TIMEOUT_S = 120
DAYS = 2
PREDICTED = 1440 * DAYS - 199
REQUEST = ["--symbol", "DEMOBTC", "--interval", "1m", "--from", "2026-01-01", "--to", "2026-01-03"]

pytestmark = pytest.mark.enable_socket


@pytest.fixture(scope="module")
def endpoint():
    """Moto's server as AWS for this process and its children."""
    with moto_server("AWS_ENDPOINT_URL") as url:
        yield url


@pytest.fixture(scope="module")
def stack(endpoint):
    """A stack with the template's buckets and queues."""
    deploy("demo", buckets_and_queues(ROOT / "template.yaml"), {"ParameterKey": "ModelName", "ParameterValue": "reference"})
    return "demo"


def deploy(name, template, *parameters):
    boto3.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template), Parameters=parameters)


@pytest.fixture
def coinfarm(stack, tmp_path, monkeypatch):
    """Runs `coinfarm --stack demo`; returns what it prints."""
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path / "cache"))

    def run(*arguments, exits=0):
        ran = CliRunner().invoke(main, ["--stack", stack, *(str(argument) for argument in arguments)])
        assert ran.exit_code == exits, ran.output
        return ran.stdout

    return run


def run_worker(stack, folder):
    """Run `coinfarm worker` until the queue is empty."""
    command = [sys.executable, "-c", "from coinfarm.cli import main; main()", "--stack", stack, "worker", "--idle-exit", "0.5"]
    environment = {**os.environ, "RECEIVE_WAIT_S": "1", "WORKER_THREADS": "1", "HEALTH_FILE": str(folder / "health")}
    worked = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert worked.returncode == 0, worked.stdout + worked.stderr


def test_backfill_by_the_name_of_the_stack(coinfarm, stack, tmp_path):
    (bundle,) = (Path(reference_model_uri()) / "versions").iterdir()
    coinfarm("history", "generate", "--symbol", "DEMOBTC", "--interval", "1m", "--days", DAYS)
    assert json.loads(coinfarm("history", "check", "--json"))["series"][0]["symbol"] == "DEMOBTC"
    coinfarm("model", "publish", bundle, "--no-compile", "--promote")
    assert bundle.name in coinfarm("stack")

    coinfarm("backfill", "plan", *REQUEST, "--run", "two-days", "--frames-per-s", 2000)
    assert f"{DAYS} shards sent" in coinfarm("backfill", "submit", "--run", "two-days")
    waiting = json.loads(coinfarm("backfill", "status", "--run", "two-days", "--json", exits=3))
    assert (waiting["waiting"], waiting["deadLettered"]) == (DAYS, 0)
    run_worker(stack, tmp_path)
    assert json.loads(coinfarm("backfill", "status", "--run", "two-days", "--json"))["complete"]
    assert "0 shards sent" in coinfarm("backfill", "resume", "--run", "two-days")
    assert "0 messages moved back" in coinfarm("backfill", "redrive", "--run", "two-days")
    collected = json.loads(coinfarm("backfill", "collect", "--run", "two-days", "-o", tmp_path / "all.parquet", "--json"))
    assert collected["total"]["predicted"] == PREDICTED == pq.read_metadata(tmp_path / "all.parquet").num_rows


@pytest.mark.parametrize(
    ("name", "template", "named"),
    [
        pytest.param("nowhere", None, "AWS_REGION", id="missing"),
        pytest.param("website", {"Resources": {"Site": {"Type": "AWS::S3::Bucket"}}}, "CandleBucketName", id="of another application"),
    ],
)
def test_unusable_stack_is_one_line(endpoint, name, template, named):
    if template:
        deploy(name, template)
    ran = CliRunner().invoke(main, ["--stack", name, "history", "check"])
    assert (ran.exit_code, ran.stderr.count("\n")) == (1, 1)
    assert f"stack {name}" in ran.stderr
    assert named in ran.stderr
