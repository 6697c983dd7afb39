"""An account, with the production stack and its fleet in it; a season of work, which all that is asked afterwards was recorded in."""

import json
from pathlib import Path

import pytest

from coinfarm.serving.settings import reference_model_uri
from tests.integration.stack.account import Account
from tests.integration.stack.farm import DAYS, NO_VERSION, STRIDES, SYMBOL, Farm
from tests.integration.stack.templates import stage_parameters
from tests.support.demo_requests import demo_request, rest_event


@pytest.fixture(scope="session")
def account(tmp_path_factory):
    with Account.opened(tmp_path_factory.mktemp("account")) as account:
        yield account


@pytest.fixture(scope="session")
def with_fleet(account):
    """What makes the fleet, with a machine that does not wait for more work."""
    vpc, subnets = account.network()
    return {"FleetRepository": "coinfarm", "FleetVpc": vpc, "FleetSubnets": ",".join(subnets), "IdleExitSeconds": "1"}


@pytest.fixture(scope="session")
def farm(account, with_fleet, tmp_path_factory):
    """The stage prod, serving a model from its bucket."""
    stack = account.deploy("coinfarm-prod", {**stage_parameters("prod"), **with_fleet, "ModelName": "reference"})
    # moto would give messages to functions of its own accord, in containers.
    functions = account.client("lambda")
    for events in functions.list_event_source_mappings()["EventSourceMappings"]:
        functions.update_event_source_mapping(UUID=events["UUID"], Enabled=False)
    return Farm(account, stack, tmp_path_factory.mktemp("farm"))


@pytest.fixture(scope="session")
def season(farm):
    """What came of a season: answers by name."""
    (bundle,) = Path(reference_model_uri(), "versions").iterdir()
    spec = ("--symbol", SYMBOL, "--from", "2026-01-01", "--to", f"2026-01-{1 + DAYS:02}", "--frames-per-s", 2_000)
    found = {"model": bundle.name}
    farm.command("history", "generate", "--symbol", SYMBOL, "--from", "2026-01-01", "--days", DAYS)
    farm.command("model", "publish", bundle, "--no-compile", "--promote")
    with farm.function("ApiFunction") as invoke:
        found["warm"] = invoke({"warmup": True})
        found["direct"] = invoke(demo_request(210))
        found["api"] = invoke(rest_event("POST", "/predictions", "application/json", json.dumps(demo_request(210)).encode()))
        found["no such version"] = invoke(demo_request(200, modelVersion=NO_VERSION))
        found["ready"] = invoke(rest_event("GET", "/ready", "application/json", b""))
    for way, stride in STRIDES.items():
        farm.command("backfill", "plan", *spec, "--run", way, "--on", way, "--stride", stride)
        farm.command("backfill", "submit", "--run", way)
    with farm.function("BatchFunction") as invoke:
        found["batches"] = list(iter(lambda: farm.work_off_as_lambda_does(invoke), None))
        found["poison"] = farm.poison(json.dumps(demo_request(200, modelVersion=NO_VERSION, resultsUri="never.json")))
        found["poisoned batches"] = list(iter(lambda: farm.work_off_as_lambda_does(invoke), None))
    found["worker"] = farm.work_off_as_the_fleet_does()
    found["status"] = json.loads(farm.command("backfill", "status", "--run", "lambda", "--json"))
    for way in STRIDES:
        found[f"{way} coverage"] = json.loads(farm.command("backfill", "collect", "--run", way, "-o", f"{way}.parquet", "--json"))
    found["dead letters"] = farm.dead_letters()
    found["redrive"] = farm.command("backfill", "redrive", "--run", "lambda")
    return found
