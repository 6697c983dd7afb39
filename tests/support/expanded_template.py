"""template.yaml as CloudFormation makes a stack of it: packaged, expanded by AWS's own SAM transform, and with its conditions decided."""

import copy
import json
from functools import cache
from typing import Any

import boto3
from cfnlint.decode import cfn_yaml
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from tests.support.repository import ROOT

TEMPLATE = json.loads(json.dumps(cfn_yaml.load(str(ROOT / "template.yaml"))))  # plain: cfn-lint's own remember their lines
NO_VALUE = {"Ref": "AWS::NoValue"}
_IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/coinfarm:latest"


@cache
def expanded(**parameters: str) -> dict[str, Any]:
    """The template as the transform leaves it, for parameters that differ from their defaults. Not to be changed."""
    return transformed(TEMPLATE, **parameters)


def transformed(template: dict[str, Any], **parameters: str) -> dict[str, Any]:
    """Likewise, of another template."""
    packaged = copy.deepcopy(template)
    for resource in packaged["Resources"].values():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::Serverless::Function":
            properties["ImageUri"] = _IMAGE
        elif resource["Type"] == "AWS::CloudFormation::Stack":
            properties["TemplateURL"] = f"https://s3.amazonaws.com/artifacts/{properties['TemplateURL']}"
        elif resource["Type"] == "AWS::Serverless::Api":  # CloudFormation includes before it transforms
            location = properties["DefinitionBody"]["Fn::Transform"]["Parameters"]["Location"]
            properties["DefinitionBody"] = json.loads((ROOT / location).read_text())
    session = boto3.Session(region_name="us-east-1")
    return Translator({}, Parser(), boto_session=session).translate(packaged, all_parameters(**parameters), passthrough_metadata=True)


def all_parameters(**parameters: str) -> dict[str, str]:
    """These, and the others' defaults."""
    defaults = {name: str(parameter["Default"]) for name, parameter in TEMPLATE["Parameters"].items()}
    assert parameters.keys() <= defaults.keys()
    return defaults | parameters


def stack(**parameters: str) -> dict[str, Any]:
    """The resources that are made, by name: each with its properties, in which what parameters decide is decided."""
    template = expanded(**parameters)
    return {name: resource for name, resource in decided(template["Resources"], **parameters).items() if resource is not NO_VALUE}


def decided(node: Any, **parameters: str) -> Any:
    """The node without references to parameters and without conditions."""
    return _Decision(all_parameters(**parameters)).of(node)


class _Decision:
    def __init__(self, parameters: dict[str, str]) -> None:
        self._parameters = parameters

    def of(self, node: Any) -> Any:
        if isinstance(node, list):
            return [item for item in map(self.of, node) if item is not NO_VALUE]
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
            return self.of(then if self.holds({"Condition": condition}) else otherwise)
        found = {name: self.of(value) for name, value in node.items()}
        return {name: value for name, value in found.items() if value is not NO_VALUE}

    def holds(self, condition: Any) -> bool:
        ((operator, operands),) = condition.items()
        match operator:
            case "Condition":
                return self.holds(TEMPLATE["Conditions"][operands])
            case "Fn::Equals":
                left, right = map(self.of, operands)
                return str(left) == str(right)
            case "Fn::Not":
                return not self.holds(operands[0])
            case "Fn::And":
                return all(map(self.holds, operands))
            case "Fn::Or":
                return any(map(self.holds, operands))
        raise ValueError(operator)


def broken_rules(**parameters: str) -> list[str]:
    """What the template's Rules say against these parameters."""
    decision = _Decision(all_parameters(**parameters))
    return [
        assertion["AssertDescription"]
        for rule in TEMPLATE["Rules"].values()
        if decision.holds(rule["RuleCondition"])
        for assertion in rule["Assertions"]
        if not decision.holds(assertion["Assert"])
    ]
