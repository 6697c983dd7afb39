"""List prices of us-east-1 in US dollars, and when they were looked up."""

PRICES_DATE = "2026-11"

LAMBDA_USD_PER_GB_S = 0.0000166667
"""On x86-64."""
LAMBDA_ARM_USD_PER_GB_S = 0.0000133334
LAMBDA_USD_PER_REQUEST = 0.20 / 1_000_000
LAMBDA_MB_PER_CORE = 1_769
SQS_USD_PER_REQUEST = 0.40 / 1_000_000
S3_USD_PER_WRITE = 0.005 / 1_000
"""PUT and LIST requests."""
S3_USD_PER_READ = 0.0004 / 1_000
SNS_USD_PER_REQUEST = 0.50 / 1_000_000
EVENT_USD = 1.00 / 1_000_000
"""A custom event of EventBridge."""
SCHEDULE_USD_PER_INVOCATION = 1.00 / 1_000_000
"""By EventBridge Scheduler."""
METRIC_USD_PER_MONTH = 0.30
ALARM_USD_PER_MONTH = 0.10
API_USD_PER_REQUEST = 3.50 / 1_000_000
"""REST API, the first 333 million requests per month."""
LOGS_USD_PER_GB = 0.50
"""Ingestion by CloudWatch, including the metrics in the logs."""

INSTANCE_USD_PER_H = {"g4dn.xlarge": 0.526, "g6.xlarge": 0.805}
"""On demand, Linux."""
SPOT_PRICE_RATIO = 0.4
"""Spot instances commonly cost 50 to 70 % less than on demand."""
