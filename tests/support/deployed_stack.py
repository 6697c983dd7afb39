"""A stack in the format of CloudFormation's `DescribeStacks`."""

from datetime import UTC, datetime
from typing import Any

OUTPUTS = {
    "ApiFunctionAlias": "arn:aws:lambda:eu-west-1:1:function:api:live",
    "ModelBucketName": "models",
    "CandleBucketName": "candles",
    "ResultBucketName": "results",
    "QueueUrl": "https://sqs.eu-west-1.amazonaws.com/1/shards",
    "DeadLetterQueueUrl": "https://sqs.eu-west-1.amazonaws.com/1/dead",
}
FLEET = {"FleetQueueUrl": "https://sqs.eu-west-1.amazonaws.com/1/fleet"}
PARAMETERS = {"ModelName": "btc", "BatchConcurrency": "7", "FunctionMemory": "2048"}


def description(
    *, outputs: dict[str, str] = OUTPUTS, parameters: dict[str, str] = PARAMETERS, status: str = "UPDATE_COMPLETE", reason: str = ""
) -> dict[str, Any]:
    """One entry of a `describe_stacks` response."""
    return {
        "StackId": "arn:aws:cloudformation:eu-west-1:1:stack/farm/0",
        "StackName": "farm",
        "CreationTime": datetime(2026, 1, 1, tzinfo=UTC),
        "StackStatus": status,
        "StackStatusReason": reason,
        "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    }
