"""template.yaml as CloudFormation deploys it: packaged, expanded by AWS's own SAM transform, and with its conditions evaluated."""

import copy
import json
from functools import cache
from typing import Any

import boto3
from cfnlint.decode import cfn_yaml
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from tests.support.repository import ROOT
from tests.support.template_functions import TemplateFunctions

TEMPLATE = json.loads(json.dumps(cfn_yaml.load(str(ROOT / "template.yaml"))))  # plain types: cfn-lint's own store line numbers
FLEET = {"FleetRepository": "coinfarm", "FleetVpc": "vpc-1", "FleetSubnets": "subnet-1"}
"""The parameters that create a GPU fleet."""
LIVE = {"LiveSymbols": "BTC/USDT,ETH/USDT"}
"""The parameters that switch live predictions on."""
CUSTOMER_KEY = {"Encryption": "CustomerKey"}
_IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/coinfarm:latest"


@cache
def expanded(**parameters: str) -> dict[str, Any]:
    """The template after the transform, for parameters that differ from their defaults. Do not modify the result: it is cached."""
    return transformed(TEMPLATE, **parameters)


def transformed(template: dict[str, Any], **parameters: str) -> dict[str, Any]:
    """Any template after the transform, which leaves the template itself unchanged."""
    packaged = copy.deepcopy(template)
    for resource in packaged["Resources"].values():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::Serverless::Function":
            properties["ImageUri"] = _IMAGE
        elif resource["Type"] == "AWS::CloudFormation::Stack":
            properties["TemplateURL"] = f"https://s3.amazonaws.com/artifacts/{properties['TemplateURL']}"
        elif resource["Type"] == "AWS::Serverless::Api":  # CloudFormation includes files before the transform
            location = properties["DefinitionBody"]["Fn::Transform"]["Parameters"]["Location"]
            properties["DefinitionBody"] = json.loads((ROOT / location).read_text())
    session = boto3.Session(region_name="us-east-1")
    return Translator({}, Parser(), boto_session=session).translate(packaged, _with_defaults(parameters), passthrough_metadata=True)


def stack(**parameters: str) -> dict[str, Any]:
    """The resources whose conditions hold, by logical id, with references to parameters and `Fn::If` replaced by their values."""
    resources: dict[str, Any] = _functions(parameters).resolve(expanded(**parameters)["Resources"])
    return resources


def properties_of(name: str, **parameters: str) -> Any:
    """The properties of one resource of `stack`."""
    return stack(**parameters)[name]["Properties"]


def resources_of_type(kind: str, **parameters: str) -> dict[str, Any]:
    """The properties of all resources of one type, by logical id."""
    return {name: resource["Properties"] for name, resource in stack(**parameters).items() if resource["Type"] == kind}


def arn_of(name: str) -> dict[str, list[str]]:
    """The reference to a resource's ARN, which stays unevaluated."""
    return {"Fn::GetAtt": [name, "Arn"]}


def broken_rules(**parameters: str) -> list[str]:
    """The descriptions of the assertions in the template's Rules that these parameters violate."""
    evaluate = _functions(parameters).resolve
    return [
        assertion["AssertDescription"]
        for rule in TEMPLATE["Rules"].values()
        if evaluate(rule["RuleCondition"])
        for assertion in rule["Assertions"]
        if not evaluate(assertion["Assert"])
    ]


def _with_defaults(parameters: dict[str, str]) -> dict[str, str]:
    defaults = {name: str(parameter["Default"]) for name, parameter in TEMPLATE["Parameters"].items()}
    assert parameters.keys() <= defaults.keys()
    return defaults | parameters


def _functions(parameters: dict[str, str]) -> TemplateFunctions:
    return TemplateFunctions(TEMPLATE["Conditions"], dict(_with_defaults(parameters)))
