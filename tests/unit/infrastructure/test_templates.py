"""template.yaml: valid, and consistent with the stages of samconfig.toml and the environments of `sam local`."""

import json
import re
import tomllib

import pytest
from cfnlint.api import ManualArgs, lint

from tests.support.expanded_template import FLEET, TEMPLATE, broken_rules, expanded, resources_of_type
from tests.support.repository import ROOT

PARAMETERS = TEMPLATE["Parameters"]
SCHEDULE = {"ProvisionedFrom": "cron(45 8 ? * MON-FRI *)", "ProvisionedTo": "cron(0 18 ? * MON-FRI *)"}


def test_expanded_template_is_valid():
    """`make lint` checks the templates themselves."""
    assert lint(json.dumps(expanded()), config=ManualArgs(regions=["us-east-1"])) == []


def test_console_form_groups_and_labels_every_parameter_once():
    form = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]
    assert sorted(name for group in form["ParameterGroups"] for name in group["Parameters"]) == sorted(PARAMETERS)
    assert form["ParameterLabels"].keys() == PARAMETERS.keys()


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        pytest.param({}, [], id="defaults"),
        pytest.param(FLEET, [], id="fleet"),
        pytest.param({"FleetRepository": "coinfarm"}, ["FleetVpc"], id="fleet without a network"),
        pytest.param({**SCHEDULE, "ProvisionedConcurrency": "5"}, [], id="schedule"),
        pytest.param({**SCHEDULE, "ProvisionedConcurrency": "5", "ProvisionedTo": ""}, ["ProvisionedTo"], id="schedule without an end"),
        pytest.param(SCHEDULE, ["ProvisionedConcurrency"], id="schedule without concurrency"),
    ],
)
def test_inconsistent_parameters_break_a_rule(parameters, named):
    broken = broken_rules(**parameters)
    assert len(broken) == len(named)
    assert all(name in rule for name, rule in zip(named, broken, strict=True))


def deploy_parameters(stage):
    return tomllib.loads((ROOT / "samconfig.toml").read_text())[stage]["deploy"]["parameters"]


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_stage_overrides_parameters_with_allowed_values(stage):
    overrides = dict(each.split("=", 1) for each in deploy_parameters(stage)["parameter_overrides"])
    for name, value in overrides.items():
        parameter = PARAMETERS[name]
        assert value in map(str, parameter.get("AllowedValues", [value]))
        assert re.fullmatch(parameter.get("AllowedPattern", ".*"), value)
        assert parameter["Type"] != "Number" or parameter.get("MinValue", 0) <= int(value) <= parameter.get("MaxValue", int(value))
        assert value != str(parameter["Default"]) or name == "AccessLogs", "the default needs no override"
    assert broken_rules(**overrides) == []


def test_stages_allow_what_the_template_needs():
    for stage in ("default", "dev", "prod"):
        assert set(deploy_parameters(stage)["capabilities"]) == {"CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"}
    assert not any("RoleName" in role for role in resources_of_type("AWS::IAM::Role").values()), "named roles need CAPABILITY_NAMED_IAM"


def test_environment_files_set_only_declared_variables_and_no_local_endpoint_is_deployed():
    """`sam local` ignores other variables."""
    declared = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    for file in ("env.json", "env-s3.json"):
        for function, variables in json.loads((ROOT / "events" / file).read_text()).items():
            assert TEMPLATE["Resources"][function]["Type"] == "AWS::Serverless::Function"
            assert variables.keys() <= declared.keys()
    for function in resources_of_type("AWS::Lambda::Function").values():
        assert "AWS_ENDPOINT_URL_S3" not in function["Environment"]["Variables"]
