"""docs/operations.md describes every alarm and every setting."""

import re

from cfnlint.decode import cfn_yaml

from coinfarm.serving.settings import Settings
from handler.live_schedule import LiveSettings
from handler.web.web_settings import WebSettings
from handler.worker_settings import WorkerSettings
from tests.support.repository import ROOT

PAGE = (ROOT / "docs/operations.md").read_text()
TEMPLATES = ("template.yaml", "infrastructure/monitoring.yaml", "infrastructure/fleet.yaml", "infrastructure/live.yaml")
SET_BY_THE_INSTANCE = {"AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_EC2_METADATA_DISABLED"}


def section(title):
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_page_explains_every_alarm():
    resources = (resource for name in TEMPLATES for resource in cfn_yaml.load(str(ROOT / name))["Resources"].items())
    alarms = {name for name, resource in resources if resource["Type"] == "AWS::CloudWatch::Alarm"}
    cells = re.findall(r"^\| (`.+?`) \|", section("What each alarm means"), re.MULTILINE)
    assert {name for cell in cells for name in re.findall(r"`(\w+)`", cell)} == alarms


def test_page_lists_every_setting():
    variables = {
        name.upper() for settings in (Settings, WebSettings, WorkerSettings, LiveSettings) for name in settings.model_fields
    } - SET_BY_THE_INSTANCE
    cells = re.findall(r"^\| (`[^|]+) \|", section("Settings"), re.MULTILINE)
    listed = {name for cell in cells for name in re.findall(r"`(\w+)`", cell) if not name.startswith("POWERTOOLS_")}
    assert listed == variables
