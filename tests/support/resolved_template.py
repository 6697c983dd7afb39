"""A template as CloudFormation resolves it: functions replaced by their values, resources whose condition is false left out.

moto's CloudFormation creates neither alarms nor topic policies, so they cannot be tested there.
"""

import re
from pathlib import Path
from typing import Any

from cfnlint.decode import cfn_yaml

_PSEUDO = {"AWS::Region": "eu-west-1", "AWS::AccountId": "123456789012", "AWS::StackName": "stack", "AWS::Partition": "aws"}
_NO_VALUE = object()


class ResolvedTemplate:
    """The resources' properties by logical id, and the outputs. `Ref` of a resource is its logical id, `Arn` an ARN that ends with it.

    Raises `KeyError` for a reference to nothing and for a function that is not implemented here.
    """

    def __init__(self, path: Path, **parameters: str) -> None:
        template = cfn_yaml.load(str(path))
        defaults = {name: parameter.get("Default") for name, parameter in template["Parameters"].items()}
        if unknown := parameters.keys() - defaults.keys():
            raise KeyError(f"{path.name} has no parameter {', '.join(sorted(unknown))}")
        self._values = _PSEUDO | {name: value for name, value in (defaults | parameters).items() if value is not None}
        self._mappings = template.get("Mappings", {})
        self._conditions = template.get("Conditions", {})
        present = {name: resource for name, resource in template["Resources"].items() if self._holds(resource.get("Condition"))}
        self._values |= {name: name for name in present}
        self.types = {name: resource["Type"] for name, resource in present.items()}
        self.resources = {name: self._resolve(resource["Properties"]) for name, resource in present.items()}
        self.outputs = {name: self._resolve(output["Value"]) for name, output in template["Outputs"].items()}

    def of_type(self, kind: str) -> dict[str, Any]:
        """The properties of the resources of one type, by logical id."""
        return {name: properties for name, properties in self.resources.items() if self.types[name] == kind}

    def _holds(self, condition: str | None) -> bool:
        return condition is None or self._resolve(self._conditions[condition])

    def _resolve(self, node: Any) -> Any:
        if isinstance(node, list):
            return [value for value in map(self._resolve, node) if value is not _NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((name, argument),) = node.items()
            if name in ("Ref", "Condition") or name.startswith("Fn::"):
                return self._call(name, argument)
        resolved = {name: self._resolve(value) for name, value in node.items()}
        return {name: value for name, value in resolved.items() if value is not _NO_VALUE}

    def _call(self, name: str, argument: Any) -> Any:
        match name:
            case "Ref":
                return _NO_VALUE if argument == "AWS::NoValue" else self._values[argument]
            case "Condition":
                return self._holds(argument)
            case "Fn::If":
                condition, then, otherwise = argument
                return self._resolve(then if self._holds(condition) else otherwise)
            case "Fn::Sub":
                return self._substitute(*([argument] if isinstance(argument, str) else argument))
            case "Fn::GetAtt":
                return self._attribute(*argument)
            case "Fn::FindInMap":
                first, second, third = self._resolve(argument)
                return self._mappings[first][second][third]
            case "Fn::Equals":
                left, right = self._resolve(argument)
                return left == right
            case "Fn::Not":
                return not self._resolve(argument[0])
            case "Fn::And":
                return all(self._resolve(argument))
        raise KeyError(name)

    def _substitute(self, text: str, variables: dict[str, Any] | None = None) -> str:
        known = {name: self._resolve(value) for name, value in (variables or {}).items()}

        def value(found: re.Match[str]) -> str:
            name = found[1]
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            if name in known:
                return str(known[name])
            return self._attribute(*name.split(".")) if "." in name else str(self._values[name])

        return re.sub(r"\$\{([^}]+)\}", value, text)

    def _attribute(self, resource: str, attribute: str) -> str:
        return f"arn:aws:service:eu-west-1:123456789012:{self._values[resource]}" if attribute == "Arn" else f"{resource}.{attribute}"
