"""template.yaml and what it nests, as `sam deploy` hands them to CloudFormation for a stage of samconfig.toml."""

import tomllib
from urllib.parse import urlsplit

from coinfarm.demo.template import read_template
from tests.support.expanded_template import ROOT


def stage_parameters(stage):
    """What a stage gives the template, by name."""
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    return dict(pair.split("=", 1) for pair in config[stage]["deploy"]["parameters"]["parameter_overrides"])


def nested_templates(template):
    """Those that a template nests, by where `sam package` has put them: `(bucket, key)`."""
    found = {}
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::CloudFormation::Stack":
            bucket, key = urlsplit(resource["Properties"]["TemplateURL"]).path.lstrip("/").split("/", 1)
            found[bucket, key] = read_template(ROOT / key)
    return found
