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

TEMPLATE = json.loads(json.dumps(cfn_yaml.load(str(ROOT / "template.yaml"))))  # plain types: cfn-lint's own store line numbers
FLEET = {"FleetRepository": "coinfarm", "FleetVpc": "vpc-1", "FleetSubnets": "subnet-1"}
"""The parameters that create a GPU fleet."""
CUSTOMER_KEY = {"Encryption": "CustomerKey"}
NO_VALUE = {"Ref": "AWS::NoValue"}
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
    evaluate = _Evaluation(parameters).value_of
    resources = {name: evaluate(resource) for name, resource in expanded(**parameters)["Resources"].items()}
    return {name: resource for name, resource in resources.items() if resource is not NO_VALUE}


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
    evaluation = _Evaluation(parameters)
    return [
        assertion["AssertDescription"]
        for rule in TEMPLATE["Rules"].values()
        if evaluation.holds(rule["RuleCondition"])
        for assertion in rule["Assertions"]
        if not evaluation.holds(assertion["Assert"])
    ]


def _with_defaults(parameters: dict[str, str]) -> dict[str, str]:
    defaults = {name: str(parameter["Default"]) for name, parameter in TEMPLATE["Parameters"].items()}
    assert parameters.keys() <= defaults.keys()
    return defaults | parameters


class _Evaluation:
    """Evaluates `Ref` of parameters, `Fn::If` and conditions; other functions stay as they are."""

    def __init__(self, parameters: dict[str, str]) -> None:
        self._parameters = _with_defaults(parameters)

    def value_of(self, node: Any) -> Any:
        """The value, or `NO_VALUE` for a resource or property whose condition does not hold."""
        if isinstance(node, list):
            return [item for item in map(self.value_of, node) if item is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        if node == NO_VALUE:
            return NO_VALUE
        if isinstance(node.get("Condition"), str) and "Type" in node and not self.holds({"Condition": node["Condition"]}):
            return NO_VALUE
        if node.keys() == {"Ref"}:
            return self._parameters.get(node["Ref"], node)
        if node.keys() == {"Fn::If"}:
            condition, then, otherwise = node["Fn::If"]
            return self.value_of(then if self.holds({"Condition": condition}) else otherwise)
        values = {name: self.value_of(value) for name, value in node.items()}
        return {name: value for name, value in values.items() if value is not NO_VALUE}

    def holds(self, condition: Any) -> bool:
        ((operator, operands),) = condition.items()
        match operator:
            case "Condition":
                return self.holds(TEMPLATE["Conditions"][operands])
            case "Fn::Equals":
                left, right = map(self.value_of, operands)
                return str(left) == str(right)
            case "Fn::Not":
                return not self.holds(operands[0])
            case "Fn::And":
                return all(map(self.holds, operands))
            case "Fn::Or":
                return any(map(self.holds, operands))
        raise ValueError(operator)
