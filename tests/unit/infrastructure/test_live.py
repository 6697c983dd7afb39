"""Live predictions of infrastructure/live.yaml, and uploads of template.yaml: schedule, input, retries and destinations."""

import json

import pytest
from cfnlint.decode import cfn_yaml

from coinfarm.candles.interval import canonical_interval, interval_ms
from handler.event_fields import parse_field
from handler.event_kinds import EventKind, event_kind
from handler.live_publication import DETAIL_TYPE, SOURCE
from handler.live_schedule import LiveRequest
from tests.support.expanded_template import CUSTOMER_KEY, LIVE, arn_of, properties_of, stack
from tests.support.repository import ROOT
from tests.support.resolved_template import ResolvedTemplate

FILE = ROOT / "infrastructure/live.yaml"
TEMPLATE = cfn_yaml.load(str(FILE))
PARAMETERS = {
    "BusName": "coinfarm",
    "FunctionName": "live-function",
    "FunctionAlias": "arn:aws:lambda:eu-west-1:123456789012:function:live-function:live",
    "RoleName": "live-role",
    "LiveSymbols": "BTC/USDT,ETH/USDT:USDT",
}
STACK = ResolvedTemplate(FILE, **PARAMETERS)
TARGET = STACK.resources["Schedule"]["Target"]


def test_input_is_an_event_that_the_handler_accepts():
    event = json.loads(TARGET["Input"])
    assert event_kind(event) is EventKind.LIVE
    assert (event["live"].pop("topicArn"), event["live"].pop("eventBusArn")[-9:]) == ("Topic", ":EventBus")
    request = parse_field(LiveRequest, event, "live")
    assert (request.exchange, request.interval, request.symbols) == ("binanceus", "1m", ("BTC/USDT", "ETH/USDT:USDT"))
    assert TARGET["Arn"] == PARAMETERS["FunctionAlias"]


def minutes_of(field, size):
    """The numbers of a field of a cron expression: `*`, `N` or `0/N`."""
    if field == "*":
        return range(size)
    start, _, step = field.partition("/")
    return range(int(start), size, int(step or size))


@pytest.mark.parametrize("interval", TEMPLATE["Parameters"]["LiveInterval"]["AllowedValues"])
def test_schedule_starts_once_at_each_close(interval):
    """Of one day in UTC, which candles of these intervals divide."""
    assert canonical_interval(interval) == interval
    schedule = ResolvedTemplate(FILE, **PARAMETERS, LiveInterval=interval).resources["Schedule"]
    minutes, hours, *rest = schedule["ScheduleExpression"].removeprefix("cron(").removesuffix(")").split()
    assert rest == ["*", "*", "?", "*"]
    assert (schedule["ScheduleExpressionTimezone"], schedule["FlexibleTimeWindow"]) == ("UTC", {"Mode": "OFF"})
    starts = [hour * 60 + minute for hour in minutes_of(hours, 24) for minute in minutes_of(minutes, 60)]
    assert starts == list(range(0, 24 * 60, interval_ms(interval) // 60_000))


def test_failed_invocations_are_retried_and_end_in_a_queue_that_the_role_may_write():
    retries = STACK.resources["Retries"]
    assert (retries["FunctionName"], retries["Qualifier"], retries["MaximumRetryAttempts"]) == ("live-function", "live", 2)
    queue = retries["DestinationConfig"]["OnFailure"]["Destination"]
    assert queue == TARGET["DeadLetterConfig"]["Arn"]
    for document in (STACK.resources["Permissions"]["PolicyDocument"], STACK.resources["ScheduleRole"]["Policies"][0]["PolicyDocument"]):
        assert any(each["Action"] == "sqs:SendMessage" and each["Resource"] == queue for each in document["Statement"])
    assert TEMPLATE["Resources"]["Retries"]["DependsOn"] == "Permissions"


@pytest.mark.parametrize("key", ["", "arn:aws:kms:eu-west-1:123456789012:key/1"], ids=["AWS's keys", "customer key"])
def test_topic_and_queue_are_encrypted_and_deny_requests_without_tls(key):
    resources = ResolvedTemplate(FILE, **PARAMETERS, KmsKeyArn=key).resources
    assert resources["Topic"]["KmsMasterKeyId"] == (key or "alias/aws/sns")
    queue = resources["DeadLetterQueue"]
    assert (queue.get("KmsMasterKeyId", {"Ref": "AWS::NoValue"}), queue["SqsManagedSseEnabled"]) == (
        key or {"Ref": "AWS::NoValue"},
        not key,
    )
    for policy in ("TopicPolicy", "DeadLetterQueuePolicy"):
        (statement,) = resources[policy]["PolicyDocument"]["Statement"]
        assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    sids = {each["Sid"] for each in resources["Permissions"]["PolicyDocument"]["Statement"]}
    assert ("EncryptMessages" in sids) == bool(key)


def test_schedule_role_is_for_the_scheduler_of_this_account():
    (statement,) = STACK.resources["ScheduleRole"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_bus_describes_the_events_that_are_sent():
    assert f"source {SOURCE}, detail type {DETAIL_TYPE}" in STACK.resources["EventBus"]["Description"]


def test_uploads_of_candle_files_go_to_the_queue_which_accepts_them_from_this_rule_only():
    (target,) = properties_of("Uploads")["Targets"]
    assert target["Arn"] == arn_of("Queue")
    pattern = properties_of("Uploads")["EventPattern"]
    assert (pattern["source"], pattern["detail-type"]) == (["aws.s3"], ["Object Created"])
    assert pattern["detail"] == {"bucket": {"name": [{"Ref": "CandleBucket"}]}, "object": {"key": [{"prefix": "uploads/"}]}}
    assert properties_of("CandleBucket")["NotificationConfiguration"] == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    assert not any("NotificationConfiguration" in properties_of(bucket) for bucket in ("ResultBucket", "ModelBucket"))
    (allowed,) = (each for each in properties_of("QueuePolicy")["PolicyDocument"]["Statement"] if each["Effect"] == "Allow")
    assert (allowed["Principal"], allowed["Condition"]) == (
        {"Service": "events.amazonaws.com"},
        {"ArnEquals": {"aws:SourceArn": arn_of("Uploads")}},
    )
    key = properties_of("Key", **CUSTOMER_KEY)["KeyPolicy"]["Statement"]
    assert any(each["Principal"] == {"Service": "events.amazonaws.com"} for each in key)


def test_live_predictions_are_optional():
    with_live = stack(**LIVE)
    assert {name for name in with_live.keys() - stack().keys() if "Version" not in name and "ApiDeployment" not in name} == {
        "Live",
        "LiveFunction",
        "LiveFunctionAliaslive",
        "LiveRole",
    }
    assert with_live["LiveFunction"]["Properties"]["Timeout"] < 900
