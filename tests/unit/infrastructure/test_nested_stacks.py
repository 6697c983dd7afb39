"""The stacks that template.yaml nests: the parameters it passes and the outputs it uses."""

import json
import re

import pytest
from cfnlint.decode import cfn_yaml

from tests.support.expanded_template import FLEET, LIVE, TEMPLATE, properties_of
from tests.support.repository import ROOT

PASSED = {name: TEMPLATE["Resources"][name]["Properties"]["Parameters"] for name in ("Fleet", "Live", "Monitoring")}
NESTED = {name: cfn_yaml.load(str(ROOT / TEMPLATE["Resources"][name]["Properties"]["TemplateURL"])) for name in PASSED}


@pytest.mark.parametrize("nested", NESTED)
def test_nested_stack_gets_its_parameters_with_the_same_limits_and_has_the_outputs_that_are_used(nested):
    passed, parameters = PASSED[nested], NESTED[nested]["Parameters"]
    assert passed.keys() <= parameters.keys()
    assert {name for name, parameter in parameters.items() if "Default" not in parameter} <= passed.keys()
    same_name = {name for name, value in passed.items() if name in TEMPLATE["Parameters"] and value == {"Ref": name}}
    assert same_name
    for name in same_name - {"ModelName", "FunctionMemory"}:  # the nested stack does not limit these
        expected = TEMPLATE["Parameters"][name] | {"Description": ""}
        assert expected == {"Default": expected["Default"], **parameters[name], "Description": ""}, name
    used = set(re.findall(rf'{nested}(?:\.|", ")Outputs\.(\w+)', json.dumps(TEMPLATE)))
    assert used
    assert used <= NESTED[nested]["Outputs"].keys()


def test_monitoring_watches_the_resources_of_the_stack():
    passed = properties_of("Monitoring")["Parameters"]
    assert passed["ApiName"] == properties_of("Api")["Name"] == properties_of("Api")["Body"]["info"]["title"]
    assert passed["ApiStage"] == properties_of("Apiv1Stage")["StageName"]
    assert passed["AliasName"] == properties_of("ApiFunctionAliaslive")["Name"]
    assert passed["MetricsNamespace"] == properties_of("ApiFunction")["Environment"]["Variables"]["POWERTOOLS_METRICS_NAMESPACE"]
    assert passed["FleetQueueName"] == passed["LiveFunctionName"] == "", "there is neither a fleet nor live predictions by default"
    assert properties_of("Monitoring", **FLEET)["Parameters"]["FleetQueueName"] == {"Fn::GetAtt": ["Fleet", "Outputs.QueueName"]}
    live = properties_of("Monitoring", **LIVE)["Parameters"]
    assert live["LiveFunctionName"] == {"Ref": "LiveFunction"}
    assert live["LiveDeadLetterQueueName"] == {"Fn::GetAtt": ["Live", "Outputs.DeadLetterQueueName"]}
    assert properties_of("ApiServerErrorsAlarm")["Dimensions"] == [
        {"Name": "ApiName", "Value": properties_of("Api")["Name"]},
        {"Name": "Stage", "Value": properties_of("Apiv1Stage")["StageName"]},
    ]
