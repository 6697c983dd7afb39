"""template.yaml for checkov, which does not evaluate conditions: the stage prod with all options on.

`python -m tests.support.audited_stack FILE` writes it as JSON.
"""

import json
import sys
from pathlib import Path

from tests.integration.stack.templates import stage_parameters
from tests.support.expanded_template import stack

OPTIONS = {
    "AlarmEmail": "alarms@example.com",
    "BucketLogs": "logs",
    "FleetRepository": "coinfarm",
    "FleetSubnets": "subnet-1,subnet-2",
    "FleetVpc": "vpc-1",
    "LiveSymbols": "BTC/USDT,ETH/USDT",
    "ModelName": "reference",
}

if __name__ == "__main__":
    resources = stack(**stage_parameters("prod"), **OPTIONS)
    Path(sys.argv[1]).write_text(json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}, indent=2))
