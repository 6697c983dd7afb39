"""template.yaml deployed to moto, with and without a fleet, and with all options."""

import json

import pytest

from tests.integration.stack.templates import stage_parameters

ALL_OPTIONS = {
    "AccessLogs": "OnWithAccountRole",
    "AlarmEmail": "alarms@example.com",
    "ApiAuth": "Iam",
    "BucketLogs": "logs",
    "LiveSymbols": "BTC/USDT,ETH/USDT",
    "ProvisionedConcurrency": "2",
    "ProvisionedFrom": "cron(45 8 ? * MON-FRI *)",
    "ProvisionedTo": "cron(0 18 ? * MON-FRI *)",
}


@pytest.fixture(scope="module", params=["dev", "prod with fleet", "all options"])
def stack(request, account, with_fleet):
    """A stack of each variant."""
    if request.param == "prod with fleet":
        return request.getfixturevalue("processes").stack
    if request.param == "dev":
        return account.deploy("dev", stage_parameters("dev"))
    account.client("s3").create_bucket(Bucket=ALL_OPTIONS["BucketLogs"])
    return account.deploy("all-options", {**stage_parameters("prod"), **with_fleet, **ALL_OPTIONS})


def test_every_resource_is_created(stack):
    assert stack.status == "CREATE_COMPLETE"
    assert stack.missing_types == set()
    assert stack.nested.keys() - {"Fleet", "Live"} == {"Monitoring"}
    assert ("Live" in stack.nested) == ("LiveTopicArn" in stack.outputs)
    assert ("Fleet" in stack.nested) == ("FleetQueueUrl" in stack.outputs)


@pytest.mark.parametrize("function", ["ApiFunction", "BatchFunction"])
def test_function_has_the_settings_and_the_role_of_its_stack(stack, account, function):
    configuration = account.client("lambda").get_function_configuration(FunctionName=stack.physical_id(function))
    variables = configuration["Environment"]["Variables"]
    assert configuration["PackageType"] == "Image"
    assert variables["CANDLES_ROOT"] == f"s3://{stack.outputs['CandleBucketName']}"
    assert variables["RESULTS_ROOT"] == f"s3://{stack.outputs['ResultBucketName']}"
    assert variables["POWERTOOLS_TRACE_DISABLED"] == ("false" if configuration["TracingConfig"]["Mode"] == "Active" else "true")
    assert configuration["Role"].endswith(f"/{stack.physical_id(function.replace('Function', 'Role'))}")


def test_queue_invokes_the_batch_function_and_has_a_dead_letter_queue(stack, account):
    sqs = account.client("sqs")
    queue = sqs.get_queue_attributes(QueueUrl=stack.outputs["QueueUrl"], AttributeNames=["All"])["Attributes"]
    (events,) = account.client("lambda").list_event_source_mappings(EventSourceArn=queue["QueueArn"])["EventSourceMappings"]
    assert f":{stack.physical_id('BatchFunction')}:" in events["FunctionArn"]
    assert events["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    dead = sqs.get_queue_attributes(QueueUrl=stack.outputs["DeadLetterQueueUrl"], AttributeNames=["QueueArn"])["Attributes"]
    assert json.loads(queue["RedrivePolicy"])["deadLetterTargetArn"] == dead["QueueArn"]
