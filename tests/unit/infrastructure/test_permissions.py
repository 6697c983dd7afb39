"""The IAM roles of template.yaml and infrastructure/fleet.yaml: least privilege.

tests/integration/stack/test_policies.py compares the allowed actions with the calls that the processes make.
"""

import json

import pytest
from cfnlint.decode import cfn_yaml

from tests.support.expanded_template import CUSTOMER_KEY, LIVE, properties_of, resources_of_type, stack
from tests.support.repository import ROOT

WITHOUT_RESOURCES = {"xray:PutTraceSegments", "xray:PutTelemetryRecords", "cloudwatch:DescribeAlarms", "ecr:GetAuthorizationToken"}
"""Actions that IAM cannot limit to a resource."""
FLEET_ROLE = cfn_yaml.load(str(ROOT / "infrastructure/fleet.yaml"))["Resources"]["Role"]["Properties"]
LIVE_STACK = cfn_yaml.load(str(ROOT / "infrastructure/live.yaml"))["Resources"]
ROLES = {
    **resources_of_type("AWS::IAM::Role", Tracing="Active", **CUSTOMER_KEY, **LIVE),
    "FleetRole": FLEET_ROLE,
    "ScheduleRole": LIVE_STACK["ScheduleRole"]["Properties"],
    "LiveRole's publications": {"Policies": [LIVE_STACK["Permissions"]["Properties"]]},
}


def statements(role):
    found = (statement for policy in role["Policies"] for statement in policy["PolicyDocument"]["Statement"])
    return [statement["Fn::If"][1] if "Fn::If" in statement else statement for statement in found]


def as_list(value):
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("name", ROLES)
def test_role_allows_only_named_actions_on_named_resources(name):
    assert "ManagedPolicyArns" not in ROLES[name], "managed policies allow more than needed, for example all log groups"
    for statement in statements(ROLES[name]):
        assert statement["Effect"] == "Allow"
        actions = set(as_list(statement["Action"]))
        assert not any("*" in action for action in actions)
        assert "*" not in as_list(statement["Resource"]) or actions <= WITHOUT_RESOURCES


def test_only_batch_processes_write_and_only_to_the_result_bucket():
    writable = {
        name: [
            bucket
            for statement in statements(role)
            if "s3:PutObject" in as_list(statement["Action"])
            for bucket in ("ModelBucket", "CandleBucket", "ResultBucket")
            if bucket in json.dumps(statement["Resource"])
        ]
        for name, role in ROLES.items()
    }
    assert {name: buckets for name, buckets in writable.items() if buckets} == {
        name: ["ResultBucket"] for name in ("BatchRole", "FleetRole", "LiveRole")
    }


def test_live_predictions_are_written_below_their_prefix_by_a_role_that_exists_only_with_them():
    (statement,) = (each for each in statements(ROLES["LiveRole"]) if "s3:PutObject" in as_list(each["Action"]))
    assert statement["Resource"] == {"Fn::Sub": "${ResultBucket.Arn}/live/*"}
    assert not {name for name in stack() if name.startswith("Live")}


@pytest.mark.parametrize("role", ["ApiRole", "BatchRole", "LiveRole"])
def test_functions_write_traces_only_if_tracing_is_active(role):
    sids = {
        tracing: {each["Sid"] for each in statements(properties_of(role, Tracing=tracing, **LIVE))} for tracing in ("Active", "PassThrough")
    }
    assert sids["Active"] - sids["PassThrough"] == {"WriteTraces"}
