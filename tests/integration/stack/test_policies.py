"""Each role's policies against the calls that its processes made in a season: what is called is allowed, and what is allowed is called."""

import re
from dataclasses import replace

import pytest

from tests.integration.stack.calls import Call
from tests.integration.stack.policies import Policies, Statement, implied, policies_of

CALLERS = ("ApiRole", "BatchRole", "FleetRole", "OperatorPolicy")
NOT_CALLED_BY_OUR_PROCESSES = {
    "ApiRole": {
        "WriteLogs: logs:CreateLogStream": "Lambda writes the function's output",
        "WriteLogs: logs:PutLogEvents": "Lambda writes the function's output",
        "WriteTraces: xray:PutTelemetryRecords": "Lambda's own X-Ray daemon sends what is traced",
        "WriteTraces: xray:PutTraceSegments": "Lambda's own X-Ray daemon sends what is traced",
    },
    "BatchRole": {
        "WriteLogs: logs:CreateLogStream": "Lambda writes the function's output",
        "WriteLogs: logs:PutLogEvents": "Lambda writes the function's output",
        "WriteTraces: xray:PutTelemetryRecords": "Lambda's own X-Ray daemon sends what is traced",
        "WriteTraces: xray:PutTraceSegments": "Lambda's own X-Ray daemon sends what is traced",
        "ConsumeQueue: sqs:GetQueueAttributes": "Lambda asks for it before it polls a queue",
    },
    "FleetRole": {
        "LogInToEcr: ecr:GetAuthorizationToken": "the machine's Docker, before there is a worker",
        "PullImage: ecr:BatchCheckLayerAvailability": "the machine's Docker, before there is a worker",
        "PullImage: ecr:BatchGetImage": "the machine's Docker, before there is a worker",
        "PullImage: ecr:GetDownloadUrlForLayer": "the machine's Docker, before there is a worker",
        "WriteLogs: logs:CreateLogStream": "Docker's log driver",
        "WriteLogs: logs:PutLogEvents": "Docker's log driver",
    },
    "OperatorPolicy": {
        "SubmitAndRedrive: sqs:ChangeMessageVisibility": "coinfarm worker on a machine of the operator's, as the fleet's does",
        "Predict: lambda:InvokeFunction": "a caller's own client; no command of ours",
        "InvokeApi: execute-api:Invoke": "a caller's own client; no command of ours",
    },
}


@pytest.fixture(scope="module")
def policies(farm):
    return policies_of(farm.stack)


@pytest.fixture(scope="module")
def calls(account, farm, season):
    """Of the whole season, by caller."""
    made = implied(account.calls, farm.stack)
    return {caller: sorted({call for call in made if call.caller == caller}, key=str) for caller in {call.caller for call in made}}


def test_every_entrance_was_recorded(calls):
    assert calls.keys() == set(CALLERS)


@pytest.mark.parametrize("caller", CALLERS)
def test_each_call_is_allowed_by_a_policy(policies, calls, caller):
    refusals = [refusal for call in calls[caller] if (refusal := policies[caller].refusal(call))]
    assert not refusals, "\n".join(refusals)


@pytest.mark.parametrize("caller", CALLERS)
def test_nothing_is_allowed_that_nobody_calls(policies, calls, caller):
    assert policies[caller].unused(calls[caller]) == NOT_CALLED_BY_OUR_PROCESSES[caller].keys()


@pytest.mark.parametrize(
    ("caller", "sid", "action", "resource"),
    [
        pytest.param("ApiRole", "ReadModels", "s3:GetObject", r"arn:aws:s3:::\S+/models/reference/\S+", id="the API's model"),
        pytest.param("BatchRole", "WriteResults", "s3:PutObject", r"arn:aws:s3:::\S+/predictions/\S+", id="the batch function's results"),
        pytest.param("BatchRole", "EncryptAndDecrypt", "kms:GenerateDataKey", r"arn:aws:kms:\S+", id="their encryption"),
        pytest.param("FleetRole", "ConsumeQueue", "sqs:DeleteMessage", r"arn:aws:sqs:\S+Fleet\S+", id="the fleet's queue"),
        pytest.param("OperatorPolicy", "SubmitAndRedrive", "sqs:SendMessage", r"arn:aws:sqs:\S+", id="the operator's submission"),
    ],
)
def test_a_policy_that_lacks_an_action_is_found_out(policies, calls, caller, sid, action, resource):
    lesser = tuple(
        replace(each, actions=tuple(other for other in each.actions if other != action)) if each.sid == sid else each
        for each in policies[caller].own
    )
    refusals = [refusal for call in calls[caller] if (refusal := replace(policies[caller], own=lesser).refusal(call))]
    assert refusals
    for refusal in refusals:
        found = re.fullmatch(rf"{caller} calls {action} on {resource}, which no policy of it allows: extend statement (.+)", refusal)
        assert found, refusal
        assert sid in found[1].split(" or ")


def statement(**parts):
    return {"Sid": "Some", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::models/*", **parts}


CALL = Call("Role", "s3:GetObject", "arn:aws:s3:::models/a", {"kms:ViaService": "s3.us-east-1.amazonaws.com"})


@pytest.mark.parametrize(
    ("statements", "is_allowed"),
    [
        pytest.param([statement()], True, id="the resource is meant"),
        pytest.param([statement(Resource="arn:aws:s3:::models")], False, id="the bucket is not its objects"),
        pytest.param([statement(Action=["s3:PutObject", "S3:Get*"])], True, id="a pattern, in whatever case"),
        pytest.param([statement(Action="s3:PutObject")], False, id="another action"),
        pytest.param([statement(), statement(Effect="Deny", Action="s3:*", Resource="*")], False, id="denied"),
        pytest.param(
            [statement(), statement(Effect="Deny", Condition={"Bool": {"aws:SecureTransport": "false"}})], True, id="denied without TLS"
        ),
        pytest.param([statement(Condition={"StringEquals": {"kms:ViaService": "sqs.us-east-1.amazonaws.com"}})], False, id="via another"),
        pytest.param([statement(Condition={"StringLike": {"kms:ViaService": ["sqs.*", "s3.*"]}})], True, id="via one of these"),
        pytest.param([statement(Condition={"StringEquals": {"s3:prefix": "a"}})], False, id="a condition on what the call does not tell"),
        pytest.param([], False, id="no statement"),
    ],
)
def test_a_policy_is_read_as_iam_reads_it(statements, is_allowed):
    policies = Policies("Role", tuple(Statement.of({"Statement": statements})))
    assert bool(policies.allowing(CALL)) == is_allowed
    assert (policies.refusal(CALL) is None) == is_allowed


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        pytest.param({"NotAction": "s3:*"}, "NotAction", id="NotAction"),
        pytest.param({"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}, "IpAddress", id="a condition's operator"),
        pytest.param({"Principal": {"AWS": "1"}}, "Principal", id="a principal"),
    ],
)
def test_what_the_evaluation_does_not_know_it_refuses(parts, named):
    with pytest.raises(ValueError, match=f"statement Some has {named}, which this evaluation does not know"):
        Statement.of({"Statement": statement(**parts)})


def test_an_allowance_that_nobody_needs_is_told():
    policies = Policies("Role", tuple(Statement.of({"Statement": statement(Action=["s3:GetObject", "s3:PutObject"])})))
    assert policies.unused([CALL]) == {"Some: s3:PutObject"}
