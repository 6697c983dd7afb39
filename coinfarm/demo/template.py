"""template.yaml as CloudFormation reads it, and the part that a machine of one's own can stand in for: its buckets and queues."""

from pathlib import Path
from typing import Any

from coinfarm.errors import CoinfarmError

_KEPT = frozenset({"AWS::S3::Bucket", "AWS::SQS::Queue"})
"""Not their policies: those ask for TLS, which a server on the loopback has no need of."""
_SECTIONS = ("AWSTemplateFormatVersion", "Parameters", "Mappings", "Conditions")
"""What the properties of those resources may refer to."""


def local_part(path: Path) -> dict[str, Any]:
    """The template with those resources alone, and the outputs that name them. Raises `CoinfarmError` where it cannot be read."""
    template = read_template(path)
    try:
        resources = {name: resource for name, resource in template["Resources"].items() if resource["Type"] in _KEPT}
        outputs = {name: output for name, output in template["Outputs"].items() if _named(output["Value"]) in resources}
    except (KeyError, TypeError, AttributeError) as error:
        raise _no_template(path, error) from None
    sections = {name: template[name] for name in _SECTIONS if name in template}
    return {**sections, "Resources": resources, "Outputs": outputs}


def read_template(path: Path) -> dict[str, Any]:
    """The whole, the short forms of functions (`!Ref X`) as their long ones. Raises `CoinfarmError` where it cannot be read."""
    import yaml

    try:
        template = yaml.load(path.read_text(encoding="utf-8"), _loader())  # noqa: S506 - a safe loader that knows CloudFormation's tags
    except (OSError, UnicodeDecodeError) as error:
        raise CoinfarmError(
            f"{path} cannot be read ({error}): name the template.yaml of a checkout or a source distribution with --template"
        ) from None
    except yaml.YAMLError as error:
        raise _no_template(path, error) from None
    if not isinstance(template, dict):
        raise _no_template(path, TypeError(f"{type(template).__name__} instead of a mapping"))
    return template


def _no_template(path: Path, error: Exception) -> CoinfarmError:
    return CoinfarmError(f"{path} is no template: {error!r}")


def _named(value: object) -> object:
    return value.get("Ref") if isinstance(value, dict) else None


def _loader() -> Any:
    """A loader that reads `!Ref X` as `{"Ref": "X"}` and `!Sub X` as `{"Fn::Sub": "X"}`, as CloudFormation does."""
    import yaml

    def construct(loader: Any, name: str, node: Any) -> dict[str, Any]:
        if isinstance(node, yaml.ScalarNode):
            value = loader.construct_scalar(node)
        elif isinstance(node, yaml.SequenceNode):
            value = loader.construct_sequence(node, deep=True)
        else:
            value = loader.construct_mapping(node, deep=True)
        if name == "GetAtt" and isinstance(value, str):
            value = value.split(".", 1)
        return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}

    loader: Any = type("Loader", (yaml.SafeLoader,), {})  # of its own: constructors are kept by the class
    loader.add_multi_constructor("!", construct)
    return loader
