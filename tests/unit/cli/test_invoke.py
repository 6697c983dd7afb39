"""`coinfarm invoke`, on this machine and with a stack."""

import json
from pathlib import Path

import pytest

from coinfarm.aws.lambda_function import LambdaFunction
from tests.support.cli_runner import coinfarm
from tests.support.demo_requests import demo_request
from tests.support.deployed_stack import OUTPUTS


@pytest.mark.usefixtures("constant_model", "new_service")
def test_invoke_prints_only_the_response_and_writes_the_results():
    record = {"messageId": "1", "eventSource": "aws:sqs", "body": json.dumps({**demo_request(), "resultsUri": "a/b.json"})}
    Path("event.json").write_text(json.dumps({"Records": [record]}))
    shown = coinfarm("invoke", "event.json")
    assert (shown.exit_code, json.loads(shown.stdout)) == (0, {"batchItemFailures": []})
    assert json.loads(Path("results/a/b.json").read_text())["messageId"] == "1"


@pytest.mark.usefixtures("constant_model", "new_service")
@pytest.mark.parametrize(
    "event",
    [demo_request(count=100), {"Records": [{"messageId": "1", "eventSource": "aws:sqs", "body": "{}"}]}],
    ids=["problem document", "failed record"],
)
def test_invoke_exits_with_1_on_an_error(event):
    Path("event.json").write_text(json.dumps(event))
    assert coinfarm("invoke", "event.json").exit_code == 1


@pytest.mark.parametrize(("response", "exit_code"), [({"warm": True}, 0), ({"statusCode": 404}, 1)], ids=["success", "error"])
def test_invoke_calls_the_function_of_the_stack(
    deployed,
    on_stack,
    monkeypatch,
    response,
    exit_code,
):
    deployed()
    invocations = []
    monkeypatch.setattr(LambdaFunction, "invoke", lambda self, event: invocations.append((self._arn, event)) or response)
    Path("event.json").write_text('{"warmup": true}')
    shown = on_stack("invoke", "event.json")
    assert (shown.exit_code, json.loads(shown.stdout)) == (exit_code, response)
    assert invocations == [(OUTPUTS["ApiFunctionAlias"], {"warmup": True})]


@pytest.mark.parametrize(
    ("event", "options", "exit_code", "named"),
    [({"Records": []}, [], 1, "coinfarm backfill submit"), ({}, ["--results-root", "results"], 2, "--results-root")],
    ids=["event of the queue", "root"],
)
def test_invoke_rejects_what_a_stack_cannot_use(
    deployed,
    on_stack,
    event,
    options,
    exit_code,
    named,
):
    deployed()
    Path("event.json").write_text(json.dumps(event))
    rejected = on_stack("invoke", "event.json", *options)
    assert (rejected.exit_code, named in rejected.stderr) == (exit_code, True)
