"""Each role's policies compared with the calls of its processes in the recorded run: every call is allowed, and every action is used."""

import re
from dataclasses import replace

import pytest

from tests.integration.stack.calls import Call
from tests.integration.stack.policies import Policies, Statement, policies_of, with_kms_calls

CALLERS = ("ApiRole", "BatchRole", "FleetRole", "LiveRole", "OperatorPolicy")
BY_LAMBDA = {
    "WriteLogs: logs:CreateLogStream": "Lambda writes the function's output",
    "WriteLogs: logs:PutLogEvents": "Lambda writes the function's output",
    "WriteTraces: xray:PutTelemetryRecords": "Lambda's X-Ray daemon sends the traces",
    "WriteTraces: xray:PutTraceSegments": "Lambda's X-Ray daemon sends the traces",
}
CALLED_BY_OTHERS = {
    "ApiRole": BY_LAMBDA,
    "BatchRole": BY_LAMBDA | {"ConsumeQueue: sqs:GetQueueAttributes": "Lambda calls it before it polls a queue"},
    "FleetRole": {
        "LogInToEcr: ecr:GetAuthorizationToken": "the instance's Docker, before the worker starts",
        "PullImage: ecr:BatchCheckLayerAvailability": "the instance's Docker, before the worker starts",
        "PullImage: ecr:BatchGetImage": "the instance's Docker, before the worker starts",
        "PullImage: ecr:GetDownloadUrlForLayer": "the instance's Docker, before the worker starts",
        "WriteLogs: logs:CreateLogStream": "Docker's log driver",
        "WriteLogs: logs:PutLogEvents": "Docker's log driver",
    },
    "LiveRole": BY_LAMBDA | {"SendDeadLetters: sqs:SendMessage": "Lambda, for an invocation that failed three times"},
    "OperatorPolicy": {
        "SubmitAndRedrive: sqs:ChangeMessageVisibility": "`coinfarm worker` on the operator's machine",
        "Predict: lambda:InvokeFunction": "the caller's own client",
        "InvokeApi: execute-api:Invoke": "the caller's own client",
    },
}


@pytest.fixture(scope="module")
def policies(processes):
    return policies_of(processes.stack)


@pytest.fixture(scope="module")
def calls(account, processes, recorded_run):
    """The calls of the recorded run, by caller. Calls that differ only in their context, such as KMS calls via several services, differ."""
    recorded = {(str(call), *sorted(call.context.items())): call for call in with_kms_calls(account.calls, processes.stack)}
    callers = {call.caller for call in recorded.values()}
    return {caller: [call for _, call in sorted(recorded.items()) if call.caller == caller] for caller in callers}


def test_calls_of_every_role_were_recorded(calls):
    assert calls.keys() == set(CALLERS)


@pytest.mark.parametrize("caller", CALLERS)
def test_every_call_is_allowed(policies, calls, caller):
    denials = [denial for call in calls[caller] if (denial := policies[caller].denial(call))]
    assert not denials, "\n".join(denials)


@pytest.mark.parametrize("caller", CALLERS)
def test_every_allowed_action_is_used(policies, calls, caller):
    assert policies[caller].unused(calls[caller]) == CALLED_BY_OTHERS[caller].keys()


@pytest.mark.parametrize(
    ("caller", "sid", "action", "resource"),
    [
        pytest.param("ApiRole", "ReadModels", "s3:GetObject", r"arn:aws:s3:::\S+/models/reference/\S+", id="the API's model"),
        pytest.param("BatchRole", "EncryptAndDecrypt", "kms:GenerateDataKey", r"arn:aws:kms:\S+", id="their encryption"),
        pytest.param("FleetRole", "ConsumeQueue", "sqs:DeleteMessage", r"arn:aws:sqs:\S+Fleet\S+", id="the fleet's queue"),
    ],
)
def test_missing_action_is_detected(policies, calls, caller, sid, action, resource):
    reduced = tuple(
        replace(each, actions=tuple(other for other in each.actions if other != action)) if each.sid == sid else each
        for each in policies[caller].statements
    )
    denials = [denial for call in calls[caller] if (denial := replace(policies[caller], statements=reduced).denial(call))]
    assert denials
    for denial in denials:
        assert re.match(rf"{caller} calls {action} on {resource}", denial), denial
        assert sid in denial.partition("statement ")[2].split(" or ")


def statement(**parts):
    return {"Sid": "Some", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::models/*", **parts}


CALL = Call("Role", "s3:GetObject", "arn:aws:s3:::models/a", {"kms:ViaService": "s3.us-east-1.amazonaws.com"})


@pytest.mark.parametrize(
    ("statements", "is_allowed"),
    [
        pytest.param([statement()], True, id="matching resource"),
        pytest.param([statement(Resource="arn:aws:s3:::models")], False, id="the bucket, but not its objects"),
        pytest.param([statement(Action=["s3:PutObject", "S3:Get*"])], True, id="a pattern in another case"),
        pytest.param([statement(), statement(Effect="Deny", Action="s3:*", Resource="*")], False, id="denied"),
        pytest.param(
            [statement(), statement(Effect="Deny", Condition={"Bool": {"aws:SecureTransport": "false"}})], True, id="denied without TLS"
        ),
        pytest.param(
            [statement(Condition={"StringEquals": {"kms:ViaService": "sqs.us-east-1.amazonaws.com"}})], False, id="another service"
        ),
        pytest.param([statement(Condition={"StringLike": {"kms:ViaService": ["sqs.*", "s3.*"]}})], True, id="one of several services"),
        pytest.param([statement(Condition={"StringEquals": {"s3:prefix": "a"}})], False, id="a condition key that the call does not have"),
    ],
)
def test_policy_evaluation(statements, is_allowed):
    policies = Policies("Role", tuple(Statement.of({"Statement": statements})))
    assert (policies.denial(CALL) is None) == is_allowed


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        pytest.param({"NotAction": "s3:*"}, "NotAction", id="NotAction"),
        pytest.param({"Principal": {"AWS": "1"}}, "Principal", id="a principal"),
    ],
)
def test_unknown_element_raises(parts, named):
    with pytest.raises(ValueError, match=rf"Some.*{named}"):
        Statement.of({"Statement": statement(**parts)})


def test_unused_action_is_reported():
    policies = Policies("Role", tuple(Statement.of({"Statement": statement(Action=["s3:GetObject", "s3:PutObject"])})))
    assert policies.unused([CALL]) == {"Some: s3:PutObject"}
