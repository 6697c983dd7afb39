"""The nested templates and the parameters that `sam deploy` passes to CloudFormation."""

import tomllib
from urllib.parse import urlsplit

from coinfarm.demo.stack_template import read_template
from tests.support.expanded_template import ROOT


def stage_parameters(stage):
    """The parameters that a stage of samconfig.toml overrides, by name."""
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    return dict(pair.split("=", 1) for pair in config[stage]["deploy"]["parameters"]["parameter_overrides"])


def nested_templates(template):
    """The templates that a template nests, by the place where `sam package` stores them: `(bucket, key)`."""
    found = {}
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::CloudFormation::Stack":
            bucket, key = urlsplit(resource["Properties"]["TemplateURL"]).path.lstrip("/").split("/", 1)
            found[bucket, key] = read_template(ROOT / key)
    return found
