"""Adds types of resources to moto's CloudFormation, and replaces incomplete ones. Importing this module registers them.

`resource_creators` creates each resource by a call to moto's service.
"""

import re

from botocore.exceptions import BotoCoreError, ClientError
from moto.cloudformation import parsing  # before the classes below: moto uses the last one of a type
from moto.cloudformation.exceptions import ValidationError
from moto.core.common_models import CloudFormationModel

from tests.integration.stack.resource_creators import CREATORS, UPDATERS

_clean_json = parsing.clean_json


def _resolved(template, resources_map):
    """Like moto's function, but `AWS::NoValue` removes items of lists, and `Fn::Sub` substitutes only once, as in CloudFormation."""
    if isinstance(template, dict) and template.keys() == {"Fn::Sub"}:
        return _substituted(template["Fn::Sub"], resources_map)
    resolved = _clean_json(template, resources_map)
    return [item for item in resolved if item is not None] if isinstance(resolved, list) else resolved


def _substituted(argument, resources_map):
    text, variables = (argument, {}) if isinstance(argument, str) else argument

    def value_of(found):
        name = found[1]
        if name.startswith("!"):
            return f"${{{name[1:]}}}"
        function = {"Fn::GetAtt": name.split(".", 1)} if "." in name else {"Ref": name}
        return str(_resolved(variables.get(name, function), resources_map))

    return re.sub(r"\$\{([^}]+)\}", value_of, text)


parsing.clean_json = _resolved


class _Resource:
    """A created resource: the values of `Ref` and `Fn::GetAtt`."""

    def __init__(self, physical_resource_id, attributes):
        self._id, self._attributes = physical_resource_id, attributes

    @property
    def physical_resource_id(self):
        return self._id

    @classmethod
    def has_cfn_attr(cls, attr):
        return True

    def get_cfn_attribute(self, attribute_name):
        return self._attributes[attribute_name]


def _resource_class(kind, create_resource):
    """A subclass of `CloudFormationModel`: moto finds the classes of resources among its subclasses."""

    def create(cls, resource_name, cloudformation_json, account_id, region_name, LogicalId, **_):
        try:
            return cls(*create_resource(resource_name, cloudformation_json["Properties"]))
        except (BotoCoreError, ClientError, KeyError) as error:
            raise ValidationError(message=f"{LogicalId} ({kind}) cannot be created: {error!r}") from error

    def update(cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name):
        if kind in UPDATERS:
            UPDATERS[kind](original_resource.physical_resource_id, cloudformation_json["Properties"])
        return original_resource

    members = {
        "__module__": __name__,
        "cloudformation_type": staticmethod(lambda: kind),
        "cloudformation_name_type": staticmethod(lambda: ""),
        "create_from_cloudformation_json": classmethod(create),
        "update_from_cloudformation_json": classmethod(update),
        "delete_from_cloudformation_json": classmethod(lambda cls, *_: None),
    }
    return type(kind.rpartition(":")[2], (_Resource, CloudFormationModel), members)


_classes = [_resource_class(kind, create) for kind, create in CREATORS.items()]  # `__subclasses__` holds only weak references
