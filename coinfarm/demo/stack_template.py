"""Read template.yaml as CloudFormation does, and select the resources that the demo creates: buckets and queues."""

from pathlib import Path
from typing import Any

from coinfarm.errors import CoinfarmError

_RESOURCE_TYPES = frozenset({"AWS::S3::Bucket", "AWS::SQS::Queue"})
"""Not their policies, which require TLS: the server on the loopback interface has none."""
_SECTIONS = ("AWSTemplateFormatVersion", "Parameters", "Mappings", "Conditions")
"""The sections that properties of these resources may refer to."""


def buckets_and_queues(path: Path) -> dict[str, Any]:
    """The template with its buckets and queues only, and the outputs that name them. Raises `CoinfarmError` if it cannot be read."""
    template = read_template(path)
    try:
        resources = {name: resource for name, resource in template["Resources"].items() if resource["Type"] in _RESOURCE_TYPES}
        outputs = {name: output for name, output in template["Outputs"].items() if _referenced_name(output["Value"]) in resources}
    except (KeyError, TypeError, AttributeError) as error:
        raise _invalid_template(path, error) from None
    sections = {name: template[name] for name in _SECTIONS if name in template}
    return {**sections, "Resources": resources, "Outputs": outputs}


def read_template(path: Path) -> dict[str, Any]:
    """The complete template, with short forms of functions (`!Ref X`) as long ones. Raises `CoinfarmError` if it cannot be read."""
    import yaml

    try:
        template = yaml.load(path.read_text(encoding="utf-8"), _loader())  # noqa: S506 - a safe loader that knows CloudFormation's tags
    except (OSError, UnicodeDecodeError) as error:
        raise CoinfarmError(
            f"{path} cannot be read ({error}): name the template.yaml of a checkout or a source distribution with --template"
        ) from None
    except yaml.YAMLError as error:
        raise _invalid_template(path, error) from None
    if not isinstance(template, dict):
        raise _invalid_template(path, TypeError(f"{type(template).__name__} instead of a mapping"))
    return template


def _invalid_template(path: Path, error: Exception) -> CoinfarmError:
    return CoinfarmError(f"{path} is not a valid template: {error!r}")


def _referenced_name(value: object) -> object:
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

    loader: Any = type("Loader", (yaml.SafeLoader,), {})  # a new class, because constructors are registered on the class
    loader.add_multi_constructor("!", construct)
    return loader
