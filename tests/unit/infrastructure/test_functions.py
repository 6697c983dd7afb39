"""The Lambda functions of template.yaml: limits, versions, gradual deployments and provisioned concurrency."""

import copy
import json
import re

import pytest

from tests.support.expanded_template import FLEET, LIVE, TEMPLATE, expanded, properties_of, resources_of_type, stack, transformed

PARAMETERS = TEMPLATE["Parameters"]
ALWAYS_ON = {"ProvisionedConcurrency": "5"}
ON_SCHEDULE = {**ALWAYS_ON, "ProvisionedFrom": "cron(45 8 ? * MON-FRI *)", "ProvisionedTo": "cron(0 18 ? * MON-FRI *)"}

all_functions = pytest.mark.parametrize("function", ["ApiFunction", "BatchFunction", "LiveFunction"])


def test_api_function_times_out_before_api_gateway_and_messages_reappear_after_six_batch_timeouts():
    assert properties_of("ApiFunction")["Timeout"] <= 29
    visibility_timeout_s = properties_of("Queue")["VisibilityTimeout"]
    window_s = properties_of("BatchEvents")["MaximumBatchingWindowInSeconds"]
    assert visibility_timeout_s >= 6 * properties_of("BatchFunction")["Timeout"] + window_s


def test_functions_are_invoked_by_their_aliases():
    assert properties_of("BatchEvents")["FunctionName"] == {"Ref": "BatchFunctionAliaslive"}
    assert properties_of("ApiPermission")["FunctionName"] == {"Ref": "ApiFunctionAliaslive"}
    assert expanded()["Outputs"]["ApiFunctionAlias"]["Value"] == {"Ref": "ApiFunctionAliaslive"}


@all_functions
def test_every_parameter_that_reaches_a_function_makes_a_new_version(function):
    """A version is replaced when its description changes; otherwise the alias would continue to serve the old values."""
    (version,) = (each for name, each in resources_of_type("AWS::Lambda::Version", **LIVE).items() if name.startswith(function))
    described = set(re.findall(r"\$\{(\w+)\}", version["Description"]["Fn::Sub"]))
    with_defaults = substituted_function(function)
    reaching = {
        name
        for name in PARAMETERS
        if name not in FLEET | LIVE and substituted_function(function, **{name: other_value(name)}) != with_defaults
    }
    assert described == reaching - {"ApiConcurrency"}, "reserved concurrency belongs to the function, not to a version"


def substituted_function(function, **parameters):
    """The function's properties with the values of parameters also in `Fn::Sub`; the transform passes both through."""
    text = json.dumps(properties_of(function, **LIVE | parameters))
    for name, value in parameters.items():
        text = text.replace(f"${{{name}}}", value)
    return text


def other_value(name):
    """A valid value that is not the default."""
    parameter = PARAMETERS[name]
    choices = [str(value) for value in parameter.get("AllowedValues", ()) if str(value) != str(parameter["Default"])]
    if choices:
        return choices[0]
    return str(parameter["Default"] + 1) if parameter["Type"] == "Number" else "other"


def test_a_change_of_a_function_in_the_template_makes_a_new_version():
    changed = copy.deepcopy(TEMPLATE)
    changed["Resources"]["BatchFunction"]["Properties"]["Timeout"] = 600
    before, after = ({name for name in template["Resources"] if "Version" in name} for template in (expanded(), transformed(changed)))
    assert len(before) == len(after)
    assert [name.startswith("BatchFunctionVersion") for name in before ^ after] == [True, True]


@pytest.mark.parametrize(
    ("function", "alarms"),
    [
        ("ApiFunction", ["NewApiVersionErrorsAlarm", "NewApiVersionLatencyAlarm", "ApiServerErrorsAlarm"]),
        ("BatchFunction", ["NewBatchVersionErrorsAlarm"]),
    ],
)
def test_alarms_of_the_new_version_roll_back_a_gradual_deployment(function, alarms):
    resources = stack(Deployment="Canary10Percent5Minutes")
    group = resources[f"{function}DeploymentGroup"]["Properties"]
    assert group["AlarmConfiguration"] == {"Enabled": True, "Alarms": [{"Name": {"Ref": alarm}} for alarm in alarms]}
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    alias = resources[f"{function}Aliaslive"]
    assert alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]["DeploymentGroupName"] == {"Ref": f"{function}DeploymentGroup"}
    for alarm in set(alarms) - {"ApiServerErrorsAlarm"}:
        assert {each["Name"]: each["Value"] for each in resources[alarm]["Properties"]["Dimensions"]} == {
            "FunctionName": {"Ref": function},
            "Resource": {"Fn::Sub": f"${{{function}}}:live"},
            "ExecutedVersion": alias["Properties"]["FunctionVersion"],
        }
    immediate = properties_of(f"{function}DeploymentGroup", Deployment="AllAtOnce")
    assert immediate["AlarmConfiguration"] == {}, "an active alarm does not block an immediate deployment"


def test_provisioned_concurrency_is_off_always_on_or_follows_a_schedule():
    assert "ProvisionedConcurrencyConfig" not in properties_of("ApiFunctionAliaslive")
    assert properties_of("ApiFunctionAliaslive", **ALWAYS_ON)["ProvisionedConcurrencyConfig"] == {"ProvisionedConcurrentExecutions": "5"}
    assert "ApiCapacity" not in stack() | stack(**ALWAYS_ON)
    resources = stack(**ON_SCHEDULE, ProvisionedTimeZone="America/New_York")
    alias, capacity = resources["ApiFunctionAliaslive"]["Properties"], resources["ApiCapacity"]
    assert "ProvisionedConcurrencyConfig" not in alias, "each deployment would override the schedule"
    assert (capacity["DependsOn"], capacity["Properties"]["ResourceId"]) == (
        "ApiFunctionAliaslive",
        {"Fn::Sub": "function:${ApiFunction}:live"},
    )
    actions = capacity["Properties"]["ScheduledActions"]
    assert [(each["Schedule"], each["Timezone"], each["ScalableTargetAction"]["MaxCapacity"]) for each in actions] == [
        (ON_SCHEDULE["ProvisionedFrom"], "America/New_York", "5"),
        (ON_SCHEDULE["ProvisionedTo"], "America/New_York", 0),
    ]
