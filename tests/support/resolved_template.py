"""A template as CloudFormation resolves it: functions replaced by their values, resources whose condition is false left out.

moto's CloudFormation creates neither alarms nor topic policies, so they cannot be tested there.
"""

import re
from pathlib import Path
from typing import Any

from cfnlint.decode import cfn_yaml

from tests.support.template_functions import TemplateFunctions

_PSEUDO = {
    "AWS::Region": "eu-west-1",
    "AWS::AccountId": "123456789012",
    "AWS::StackName": "stack",
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
}


class ResolvedTemplate(TemplateFunctions):
    """The resources' properties by logical id, and the outputs. `Ref` of a resource is its logical id, `Arn` an ARN that ends with it.
    `Fn::Base64` leaves the text as it is.

    Raises `KeyError` for a reference to nothing and for a function that is not implemented here.
    """

    def __init__(self, path: Path, **parameters: str) -> None:
        template = cfn_yaml.load(str(path))
        defaults = {name: parameter.get("Default") for name, parameter in template["Parameters"].items()}
        if unknown := parameters.keys() - defaults.keys():
            raise KeyError(f"{path.name} has no parameter {', '.join(sorted(unknown))}")
        values = _PSEUDO | {name: value for name, value in (defaults | parameters).items() if value is not None}
        super().__init__(template.get("Conditions", {}), values)
        self._mappings = template.get("Mappings", {})
        present = {name: each for name, each in template["Resources"].items() if "Condition" not in each or self.holds(each["Condition"])}
        self.values |= {name: name for name in present}
        self.types = {name: resource["Type"] for name, resource in present.items()}
        self.resources = {name: self.resolve(resource["Properties"]) for name, resource in present.items()}
        self.outputs = {name: self.resolve(output["Value"]) for name, output in template["Outputs"].items()}

    def of_type(self, kind: str) -> dict[str, Any]:
        """The properties of the resources of one type, by logical id."""
        return {name: properties for name, properties in self.resources.items() if self.types[name] == kind}

    def call(self, name: str, argument: Any) -> Any:
        match name:
            case "Ref":
                return self.values[argument]
            case "Fn::Sub":
                return self._substitute(*([argument] if isinstance(argument, str) else argument))
            case "Fn::GetAtt":
                return self._attribute(*argument)
            case "Fn::Base64":
                return self.resolve(argument)
            case "Fn::FindInMap":
                first, second, third = self.resolve(argument)
                return self._mappings[first][second][third]
            case "Fn::Join":
                separator, parts = argument
                return separator.join(self.resolve(parts))
            case "Fn::Split":
                separator, text = argument
                return self.resolve(text).split(separator)
            case "Condition" | "Fn::If" | "Fn::Equals" | "Fn::Not" | "Fn::And":
                return super().call(name, argument)
        raise KeyError(name)

    def _substitute(self, text: str, variables: dict[str, Any] | None = None) -> str:
        known = {name: self.resolve(value) for name, value in (variables or {}).items()}

        def value(found: re.Match[str]) -> str:
            name = found[1]
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            if name in known:
                return str(known[name])
            return self._attribute(*name.split(".")) if "." in name else str(self.values[name])

        return re.sub(r"\$\{([^}]+)\}", value, text)

    def _attribute(self, resource: str, attribute: str) -> str:
        return f"arn:aws:service:eu-west-1:123456789012:{self.values[resource]}" if attribute == "Arn" else f"{resource}.{attribute}"
