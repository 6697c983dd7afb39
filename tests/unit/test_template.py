"""The stack that template.yaml describes, read as CloudFormation would."""

import json
from pathlib import Path

import pytest
from cfnlint.api import lint_file
from cfnlint.decode import cfn_yaml

ROOT = Path(__file__).parents[2]
TEMPLATE = cfn_yaml.load(str(ROOT / "template.yaml"))
RESOURCES = {name: resource["Properties"] for name, resource in TEMPLATE["Resources"].items()}
DOCUMENT = json.loads((ROOT / "handler/gateway.json").read_text())

OPERATIONS = {f"{method.upper()} {path}": operation for path, methods in DOCUMENT["paths"].items() for method, operation in methods.items()}


def test_cfn_lint_finds_nothing():
    assert lint_file(ROOT / "template.yaml") == []


@pytest.mark.parametrize("section", ["Parameters", "Outputs"])
def test_each_entry_is_described(section):
    assert all(entry["Description"] for entry in TEMPLATE[section].values())


def test_a_message_stays_hidden_for_six_timeouts_and_the_window():
    hidden_s = RESOURCES["Queue"]["VisibilityTimeout"]
    assert hidden_s >= 6 * RESOURCES["BatchFunction"]["Timeout"] + RESOURCES["BatchEvents"]["MaximumBatchingWindowInSeconds"]


def test_only_the_records_that_failed_come_back():
    assert RESOURCES["BatchEvents"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_a_backfill_neither_costs_nor_takes_more_than_a_parameter_allows():
    assert RESOURCES["BatchEvents"]["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "BatchConcurrency"}}
    reserved = RESOURCES["ApiFunction"]["ReservedConcurrentExecutions"]
    assert reserved == {"Fn::If": ["ApiReserved", {"Ref": "ApiConcurrency"}, {"Ref": "AWS::NoValue"}]}


def test_a_fleet_is_made_only_where_it_is_asked_for():
    assert TEMPLATE["Resources"]["Fleet"]["Condition"] == "Fleet"
    assert TEMPLATE["Conditions"]["Fleet"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "FleetRepository"}, ""]}]}
    assert TEMPLATE["Parameters"]["FleetRepository"]["Default"] == ""


def test_a_fleet_is_given_what_it_asks_for():
    asked = cfn_yaml.load(str(ROOT / RESOURCES["Fleet"]["TemplateURL"]))["Parameters"]
    given = RESOURCES["Fleet"]["Parameters"].keys()
    assert given <= asked.keys()
    assert {name for name, parameter in asked.items() if "Default" not in parameter} <= given


@pytest.mark.parametrize("name", ["MaxInstances", "SpotPercentage", "ShardsPerInstance", "IdleExitSeconds"])
def test_a_parameter_of_the_fleet_is_the_same_in_both_templates(name):
    fleet = cfn_yaml.load(str(ROOT / "fleet.yaml"))["Parameters"]
    ours = TEMPLATE["Parameters"]
    assert {**ours[name], "Description": ""} == {**fleet[name], "Description": ""}


def test_the_api_function_ends_when_api_gateway_stops_waiting():
    assert RESOURCES["ApiFunction"]["Timeout"] <= 29


@pytest.mark.parametrize("bucket", [name for name, resource in TEMPLATE["Resources"].items() if resource["Type"] == "AWS::S3::Bucket"])
def test_a_bucket_refuses_what_comes_without_tls(bucket):
    (statement,) = RESOURCES[f"{bucket}Policy"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert RESOURCES[f"{bucket}Policy"]["Bucket"] == {"Ref": bucket}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_of_the_document_reaches_the_function(operation):
    integration = OPERATIONS[operation]["x-amazon-apigateway-integration"]
    assert integration["type"] == "aws_proxy"
    assert integration["httpMethod"] == "POST", "Lambda is invoked by POST, whatever the client sends"
    assert "${ApiFunction.Arn}:live/invocations" in integration["uri"]["Fn::Sub"]


@pytest.mark.parametrize("route", ["GET /docs", "GET /openapi.json"])
def test_api_gateway_serves_what_describes_the_api(route):
    assert route in OPERATIONS, "API Gateway routes what the document names, and nothing else"


def nulls(node, pointer=""):
    if node is None:
        return [pointer]
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [found for key, child in children for found in nulls(child, f"{pointer}/{key}")]


def test_cloudformation_can_include_the_document():
    """It takes no null, and API Gateway no model whose name is other than alphanumeric."""
    assert nulls(DOCUMENT) == []
    assert all(name.isalnum() for name in DOCUMENT.get("components", {}).get("schemas", {}))
