"""The stacks that template.yaml nests: the parameters it passes and the outputs it uses."""

import json
import re

import pytest
from cfnlint.decode import cfn_yaml

from tests.support.expanded_template import FLEET, TEMPLATE, properties_of, stack
from tests.support.repository import ROOT

PASSED = {name: TEMPLATE["Resources"][name]["Properties"]["Parameters"] for name in ("Fleet", "Monitoring")}
NESTED = {name: cfn_yaml.load(str(ROOT / TEMPLATE["Resources"][name]["Properties"]["TemplateURL"])) for name in PASSED}

each_nested_stack = pytest.mark.parametrize("nested", NESTED)


def test_fleet_is_created_only_on_request():
    assert "Fleet" not in stack()
    assert "Fleet" in stack(**FLEET)


@each_nested_stack
def test_nested_stack_gets_its_parameters(nested):
    parameters = NESTED[nested]["Parameters"]
    assert PASSED[nested].keys() <= parameters.keys()
    assert {name for name, parameter in parameters.items() if "Default" not in parameter} <= PASSED[nested].keys()


@each_nested_stack
def test_parameters_with_the_same_name_have_the_same_limits(nested):
    passed_on = [name for name, value in PASSED[nested].items() if name in TEMPLATE["Parameters"] and value == {"Ref": name}]
    assert passed_on
    for name in set(passed_on) - {"ModelName", "FunctionMemory"}:  # the nested stack does not limit these
        assert {**TEMPLATE["Parameters"][name], "Description": ""} == {**NESTED[nested]["Parameters"][name], "Description": ""}, name


@each_nested_stack
def test_nested_stack_has_the_outputs_that_are_used(nested):
    used = set(re.findall(rf'{nested}(?:\.|", ")Outputs\.(\w+)', json.dumps(TEMPLATE)))
    assert used
    assert used <= NESTED[nested]["Outputs"].keys()


def test_monitoring_watches_the_resources_of_the_stack():
    passed = properties_of("Monitoring")["Parameters"]
    assert passed["ApiName"] == properties_of("Api")["Name"] == properties_of("Api")["Body"]["info"]["title"]
    assert passed["ApiStage"] == properties_of("Apiv1Stage")["StageName"]
    assert passed["AliasName"] == properties_of("ApiFunctionAliaslive")["Name"]
    assert passed["MetricsNamespace"] == properties_of("ApiFunction")["Environment"]["Variables"]["POWERTOOLS_METRICS_NAMESPACE"]
    assert passed["FleetQueueName"] == ""
    assert properties_of("Monitoring", **FLEET)["Parameters"]["FleetQueueName"] == {"Fn::GetAtt": ["Fleet", "Outputs.QueueName"]}


def test_rollback_alarm_watches_the_api_of_the_stack():
    assert properties_of("ApiFails")["Dimensions"] == [
        {"Name": "ApiName", "Value": properties_of("Api")["Name"]},
        {"Name": "Stage", "Value": properties_of("Apiv1Stage")["StageName"]},
    ]
