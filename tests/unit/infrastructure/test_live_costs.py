"""What live predictions cost: the table in docs/operations.md, and the figure in the templates, at the prices in coinfarm/backfill."""

import re

import pytest

from coinfarm.backfill import prices
from tests.support.expanded_template import LIVE, TEMPLATE, properties_of
from tests.support.monitoring_stack import LIVE as LIVE_MONITORING
from tests.support.monitoring_stack import alarms_of, monitoring_stack, requested_metrics
from tests.support.repository import ROOT

SECTION = (ROOT / "docs/operations.md").read_text().split("\n## Live predictions\n")[1].split("\n## ")[0]
ROWS = {cells[0].strip("* "): cells for line in re.findall(r"^\| (.+) \|$", SECTION, re.MULTILINE) if (cells := line.split(" | "))}

HOURS, COINS = 730, 10
INVOCATIONS = HOURS * 60
WRITTEN_IN_FAILURES = {"UnpublishedPredictions", "FailedScorecards", "ModelRejected"}


def live_metrics():
    """The custom metrics of live predictions that are written without failures, and the invocations, which are counted too."""
    names = {
        name
        for namespace, name, dimensions in requested_metrics(monitoring_stack())
        if "live-function" in dict(dimensions).values() and namespace == "Coinfarm"
    }
    return names - WRITTEN_IN_FAILURES | {"Invocations"}


def usd():
    gigabytes = properties_of("LiveFunction", **LIVE)["MemorySize"] / 1024
    seconds = INVOCATIONS * float(re.search(r"([\d.]+) s per invocation", SECTION)[1]) + HOURS * float(
        re.search(r"(\d+) s per hour", SECTION)[1]
    )
    return {
        "Lambda": seconds * gigabytes * prices.LAMBDA_USD_PER_GB_S + INVOCATIONS * prices.LAMBDA_USD_PER_REQUEST,
        "S3": INVOCATIONS * (3 * prices.S3_USD_PER_WRITE + 2 * prices.S3_USD_PER_READ)
        + HOURS * (4 * prices.S3_USD_PER_WRITE + 37 * prices.S3_USD_PER_READ),
        "EventBridge Scheduler": INVOCATIONS * prices.SCHEDULE_USD_PER_INVOCATION,
        "EventBridge": COINS * INVOCATIONS * prices.EVENT_USD,
        "SNS": COINS * INVOCATIONS * prices.SNS_USD_PER_REQUEST,
        "CloudWatch metrics": len(live_metrics()) * prices.METRIC_USD_PER_MONTH,
        "CloudWatch alarms": 3 * prices.ALARM_USD_PER_MONTH,
        "CloudWatch logs": INVOCATIONS * 1.5e-6 * prices.LOGS_USD_PER_GB,
    }


@pytest.mark.parametrize("part", usd())
def test_cost_of_each_part(part):
    assert float(ROWS[part][-1]) == pytest.approx(usd()[part], abs=0.006)


def test_usage_of_cloudwatch():
    assert ROWS["CloudWatch metrics"][1] == f"{len(live_metrics())} metrics"
    alarms = alarms_of(monitoring_stack()).keys() - alarms_of(monitoring_stack(**dict.fromkeys(LIVE_MONITORING, ""))).keys()
    assert ROWS["CloudWatch alarms"][1] == f"{len(alarms)} alarms"


def test_total_is_the_one_of_the_templates():
    parts = sum(float(cells[-1]) for name, cells in ROWS.items() if name in usd())
    total = float(ROWS["total"][-1].strip("*"))
    assert total == pytest.approx(parts, abs=0.001) == pytest.approx(sum(usd().values()), abs=0.03)
    texts = [TEMPLATE["Description"], TEMPLATE["Parameters"]["LiveSymbols"]["Description"], (ROOT / "infrastructure/live.yaml").read_text()]
    for text in (*texts, (ROOT / "docs/operations.md").read_text()):
        assert re.search(rf"about\s+\${total:.0f} a month", text)
