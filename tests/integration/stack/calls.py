"""HTTP requests to AWS as IAM evaluates them: which caller calls which action on which resource."""

import json
from dataclasses import asdict, dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

ACCOUNT, REGION = "123456789012", "us-east-1"

_ACTIONS = {  # from the Service Authorization Reference: operations with another action
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sns:PublishBatch": "sns:Publish",
}
_S3_ACTIONS = {
    "GET object": "GetObject",
    "HEAD object": "GetObject",
    "PUT object": "PutObject",
    "POST object?uploads": "PutObject",  # the start of a multipart upload
    "PUT object?uploadId": "PutObject",
    "POST object?uploadId": "PutObject",
    "DELETE object?uploadId": "AbortMultipartUpload",
    "DELETE object": "DeleteObject",
    "GET bucket": "ListBucket",
    "HEAD bucket": "ListBucket",
    "GET bucket?versioning": "GetBucketVersioning",
}
_S3_SUBRESOURCES = ("uploads", "uploadId", "versioning", "versions", "versionId", "acl", "policy", "tagging", "delete")
_PREFIXES = {"monitoring": "cloudwatch"}
"""Prefixes of actions that differ from the service name in signatures."""


@dataclass(frozen=True)
class Call:
    """A call that a process makes, or an additional one for which AWS requires permission."""

    caller: str
    action: str
    resource: str
    context: dict = field(default_factory=dict, compare=False)

    def __str__(self):
        return f"{self.caller} calls {self.action} on {self.resource}"


def iam_calls(environ, body, status, group_of):
    """The calls for which a WSGI request needs permission; none if it is not signed.

    `status` is that of the response; `group_of` returns the Auto Scaling group of an instance.
    """
    caller, service = _signature(environ.get("HTTP_AUTHORIZATION", ""))
    if caller is None:
        return []
    query = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"], keep_blank_values=True).items()}
    if service == "s3":
        return _s3_calls(caller, environ, query, status)
    if "HTTP_X_AMZ_TARGET" in environ:
        operation, parameters = environ["HTTP_X_AMZ_TARGET"].rpartition(".")[2], json.loads(body or "{}")
    elif environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        parameters = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        operation = parameters["Action"]
    else:
        operation, parameters = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}", {}
    return [Call(caller, _action(service, operation), _resource(service, parameters, group_of))]


def to_lines(calls):
    """Format calls as lines of JSON."""
    return "".join(json.dumps(asdict(call)) + "\n" for call in calls)


def from_lines(text):
    """Parse the lines of `to_lines`."""
    return [Call(**json.loads(line)) for line in text.splitlines()]


def _signature(authorization):
    """The access key and the service in a signature, or None twice."""
    _, found, rest = authorization.partition("Credential=")
    if not found:
        return None, None
    caller, _, _, service, _ = rest.partition(",")[0].split("/")
    return caller, service


def _action(service, operation):
    action = f"{_PREFIXES.get(service, service)}:{operation}"
    return _ACTIONS.get(action, action)


def _resource(service, parameters, group_of):
    arn = f"arn:aws:{service}:{REGION}:{ACCOUNT}:"
    if service == "sqs" and parameters.keys() & {"QueueUrl", "QueueName"}:
        return arn + (parameters.get("QueueName") or urlsplit(parameters["QueueUrl"]).path.rpartition("/")[2])
    if service == "autoscaling" and "AutoScalingGroupName" in parameters:
        return f"{arn}autoScalingGroup:0:autoScalingGroupName/{parameters['AutoScalingGroupName']}"
    if service == "autoscaling" and "InstanceId" in parameters:
        return f"{arn}autoScalingGroup:0:autoScalingGroupName/{group_of(parameters['InstanceId'])}"
    if service == "sns" and "TopicArn" in parameters:
        return parameters["TopicArn"]
    if service == "events" and "Entries" in parameters:
        return parameters["Entries"][0]["EventBusName"]
    if service == "cloudformation" and "StackName" in parameters:
        return f"{arn}stack/{parameters['StackName']}/*"  # what IAM evaluates for a stack's name
    return "*"


def _s3_calls(caller, environ, query, status):
    bucket, _, key = unquote(environ["PATH_INFO"]).lstrip("/").partition("/")
    subresource = next((f"?{name}" for name in _S3_SUBRESOURCES if name in query), "")
    request = f"{environ['REQUEST_METHOD']} {'object' if key else 'bucket'}{subresource}"
    action = _S3_ACTIONS.get(request, request)  # a request without an action is allowed by no policy
    arn = f"arn:aws:s3:::{bucket}"
    context = {"s3:prefix": query["prefix"]} if "prefix" in query else {}
    calls = [Call(caller, f"s3:{action}", f"{arn}/{key}" if key else arn, context)]
    if status == 404 and action == "GetObject":
        calls.append(Call(caller, "s3:ListBucket", arn, {"s3:prefix": key}))  # without it S3 returns 403
    return calls
