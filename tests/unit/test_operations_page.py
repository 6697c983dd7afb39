"""docs/operations.md, held to the templates and the settings that it speaks of."""

import re

from cfnlint.decode import cfn_yaml

from coinfarm.serving.settings import Settings
from handler.worker_settings import WorkerSettings
from tests.support.repository import ROOT

PAGE = (ROOT / "docs/operations.md").read_text()
TEMPLATES = ("template.yaml", "infrastructure/monitoring.yaml", "infrastructure/fleet.yaml")
OF_THE_MACHINE = {"AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_EC2_METADATA_DISABLED"}


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_the_page_explains_the_alarms_that_there_are() -> None:
    resources = (resource for name in TEMPLATES for resource in cfn_yaml.load(str(ROOT / name))["Resources"].items())
    alarms = {name for name, resource in resources if resource["Type"] == "AWS::CloudWatch::Alarm"}
    told = re.findall(r"^\| (`.+?`) \|", section("What each alarm means"), re.MULTILINE)
    assert {name for cell in told for name in re.findall(r"`(\w+)`", cell)} == alarms


def test_the_page_lists_the_settings_that_there_are() -> None:
    variables = {name.upper() for settings in (Settings, WorkerSettings) for name in settings.model_fields} - OF_THE_MACHINE
    told = re.findall(r"^\| (`[^|]+) \|", section("Settings"), re.MULTILINE)
    listed = {name for cell in told for name in re.findall(r"`(\w+)`", cell) if not name.startswith("POWERTOOLS_")}
    assert listed == variables
