"""An account with the production stack and its fleet, and one recorded run of predictions and backfills."""

import json
from pathlib import Path

import pytest

from coinfarm.serving.settings import reference_model_uri
from tests.integration.stack.account import Account
from tests.integration.stack.processes import DAYS, STRIDES, SYMBOL, UNKNOWN_VERSION, StackProcesses
from tests.integration.stack.templates import stage_parameters
from tests.support.demo_requests import EVENTS, demo_request, rest_event


@pytest.fixture(scope="session")
def account(tmp_path_factory):
    with Account.started(tmp_path_factory.mktemp("account")) as account:
        yield account


@pytest.fixture(scope="session")
def with_fleet(account):
    """The parameters that create the fleet, with an instance that terminates as soon as it is idle."""
    vpc, subnets = account.network()
    return {"FleetRepository": "coinfarm", "FleetVpc": vpc, "FleetSubnets": ",".join(subnets), "IdleExitSeconds": "1"}


@pytest.fixture(scope="session")
def processes(account, with_fleet, tmp_path_factory):
    """The processes of the stage prod, which serves a model from its bucket."""
    parameters = {**stage_parameters("prod"), **with_fleet, "ModelName": "reference", "LiveSymbols": "BTC/USDT,ETH/USDT"}
    stack = account.deploy("coinfarm-prod", parameters)
    # moto would start containers for the functions.
    functions = account.client("lambda")
    for events in functions.list_event_source_mappings()["EventSourceMappings"]:
        functions.update_event_source_mapping(UUID=events["UUID"], Enabled=False)
    return StackProcesses(account, stack, tmp_path_factory.mktemp("processes"))


@pytest.fixture(scope="session")
def recorded_run(processes):
    """The responses and outputs of one run, by name."""
    (bundle,) = Path(reference_model_uri(), "versions").iterdir()
    spec = ("--symbol", SYMBOL, "--from", "2026-01-01", "--to", f"2026-01-{1 + DAYS:02}", "--frames-per-s", 2_000)
    results = {"model": bundle.name}
    processes.command("history", "generate", "--symbol", SYMBOL, "--from", "2026-01-01", "--days", DAYS)
    processes.command("model", "publish", bundle, "--no-compile", "--promote")
    with processes.function("ApiFunction") as invoke:
        results["warm"] = invoke({"warmup": True})
        results["direct"] = invoke(demo_request(210))
        results["api"] = invoke(rest_event("POST", "/predictions", "application/json", json.dumps(demo_request(210)).encode()))
        results["unknown version"] = invoke(demo_request(200, modelVersion=UNKNOWN_VERSION))
        results["ready"] = invoke(rest_event("GET", "/ready", "application/json", b""))
    for target, stride in STRIDES.items():
        processes.command("backfill", "plan", *spec, "--run", target, "--on", target, "--stride", stride)
        processes.command("backfill", "submit", "--run", target)
    results["live"], results["published"] = processes.run_schedule(times=2)
    with processes.function("BatchFunction") as invoke:
        results["batches"] = list(iter(lambda: processes.process_batch(invoke), None))
        results["upload"] = processes.upload("uploads/DEMOUSD-1m.csv", (EVENTS / "candles/uploads/DEMOUSD-1m.csv").read_bytes())
        results["upload batches"] = list(iter(lambda: processes.process_batch(invoke), None))
        results["failing message"] = processes.send_message(
            json.dumps(demo_request(200, modelVersion=UNKNOWN_VERSION, resultsUri="never.json"))
        )
        results["failing batches"] = list(iter(lambda: processes.process_batch(invoke), None))
    results["worker"] = processes.run_fleet_instance()
    results["status"] = json.loads(processes.command("backfill", "status", "--run", "lambda", "--json"))
    for target in STRIDES:
        results[f"{target} coverage"] = json.loads(
            processes.command("backfill", "collect", "--run", target, "-o", f"{target}.parquet", "--json")
        )
    results["dead letters"] = processes.dead_letters()
    results["redrive"] = processes.command("backfill", "redrive", "--run", "lambda")
    return results
