"""CloudFormation's intrinsic functions."""

from typing import Any

NO_VALUE = {"Ref": "AWS::NoValue"}


class TemplateFunctions:
    """Replaces references to `values`, `Fn::If` and conditions by their values. Other functions stay as they are."""

    def __init__(self, conditions: dict[str, Any], values: dict[str, Any]) -> None:
        self._conditions = conditions
        self.values = values

    def resolve(self, node: Any) -> Any:
        """The value of a node; `NO_VALUE` for a resource whose condition does not hold."""
        if isinstance(node, list):
            return [value for value in map(self.resolve, node) if value != NO_VALUE]
        if not isinstance(node, dict) or node == NO_VALUE:
            return node
        if len(node) == 1:
            ((name, argument),) = node.items()
            if name in ("Ref", "Condition") or name.startswith("Fn::"):
                return self.call(name, argument)
        if "Type" in node and isinstance(condition := node.get("Condition"), str) and not self.holds(condition):
            return NO_VALUE
        resolved = {name: self.resolve(value) for name, value in node.items()}
        return {name: value for name, value in resolved.items() if value != NO_VALUE}

    def holds(self, condition: str) -> bool:
        """Whether the template's condition of that name holds."""
        return bool(self.resolve(self._conditions[condition]))

    def call(self, name: str, argument: Any) -> Any:
        """The value of a function."""
        match name:
            case "Ref":
                return self.values.get(argument, {name: argument})
            case "Condition":
                return self.holds(argument)
            case "Fn::If":
                condition, then, otherwise = argument
                return self.resolve(then if self.holds(condition) else otherwise)
            case "Fn::Equals":
                left, right = map(str, self.resolve(argument))
                return left == right
            case "Fn::Not":
                return not self.resolve(argument[0])
            case "Fn::And":
                return all(map(self.resolve, argument))
            case "Fn::Or":
                return any(map(self.resolve, argument))
        return {name: self.resolve(argument)}
