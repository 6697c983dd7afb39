"""The IAM roles of template.yaml and infrastructure/fleet.yaml: least privilege.

tests/integration/stack/test_policies.py compares the allowed actions with the calls that the processes make.
"""

import json

import pytest
from cfnlint.decode import cfn_yaml

from tests.support.expanded_template import CUSTOMER_KEY, properties_of, resources_of_type
from tests.support.repository import ROOT

WITHOUT_RESOURCES = {"xray:PutTraceSegments", "xray:PutTelemetryRecords", "cloudwatch:DescribeAlarms", "ecr:GetAuthorizationToken"}
"""Actions that IAM cannot limit to a resource."""
FLEET_ROLE = cfn_yaml.load(str(ROOT / "infrastructure/fleet.yaml"))["Resources"]["Role"]["Properties"]
ROLES = {**resources_of_type("AWS::IAM::Role", Tracing="Active", **CUSTOMER_KEY), "FleetRole": FLEET_ROLE}


def statements(role):
    return [statement for policy in role["Policies"] for statement in policy["PolicyDocument"]["Statement"]]


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
    assert writable == {"ApiRole": [], "BatchRole": ["ResultBucket"], "FleetRole": ["ResultBucket"], "DeploymentRole": []}


@pytest.mark.parametrize("role", ["ApiRole", "BatchRole"])
def test_functions_write_traces_only_if_tracing_is_active(role):
    sids = {tracing: {each["Sid"] for each in statements(properties_of(role, Tracing=tracing))} for tracing in ("Active", "PassThrough")}
    assert sids["Active"] - sids["PassThrough"] == {"WriteTraces"}
