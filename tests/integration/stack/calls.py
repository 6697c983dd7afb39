"""HTTP requests to AWS as IAM evaluates them: which caller calls which action on which resource."""

import json
from dataclasses import asdict, dataclass, field
from functools import cache
from urllib.parse import parse_qs, unquote, urlsplit

import botocore.session

ACCOUNT, REGION = "123456789012", "us-east-1"

_ACTIONS = {  # from the Service Authorization Reference: operations with another action
    "s3:HeadObject": "s3:GetObject",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:UploadPart": "s3:PutObject",
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}
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
    if service == "cloudformation" and "StackName" in parameters:
        return f"{arn}stack/{parameters['StackName']}/*"  # what IAM evaluates for a stack's name
    return "*"


def _s3_calls(caller, environ, query, status):
    bucket, _, key = unquote(environ["PATH_INFO"]).lstrip("/").partition("/")
    operation = _s3_operation(environ, bool(bucket), bool(key), query)
    arn = f"arn:aws:s3:::{bucket}"
    context = {"s3:prefix": query["prefix"]} if "prefix" in query else {}
    calls = [Call(caller, _action("s3", operation), f"{arn}/{key}" if key else arn if bucket else "*", context)]
    if status == 404 and key and operation in ("GetObject", "HeadObject"):
        calls.append(Call(caller, "s3:ListBucket", arn, {"s3:prefix": key}))  # without it S3 returns 403
    return calls


def _s3_operation(environ, has_bucket, has_key, query):
    """The operation that matches the most parts of the request."""
    headers = {name.removeprefix("HTTP_").replace("_", "-").lower() for name in environ}
    matching = [
        (len(fixed) + len(needed_query) + len(needed_headers), name)
        for name, method, of_bucket, of_key, fixed, needed_query, needed_headers in _s3_operations()
        if (method, of_bucket, of_key) == (environ["REQUEST_METHOD"], has_bucket, has_key)
        and fixed.items() <= query.items()
        and needed_query <= query.keys()
        and needed_headers <= headers
    ]
    return max(matching)[1]


@cache
def _s3_operations():
    model = botocore.session.Session().get_service_model("s3")
    found = []
    for name in model.operation_names:
        operation = model.operation_model(name)
        path, _, query = operation.http["requestUri"].partition("?")
        fixed = {key: values[0] for key, values in parse_qs(query, keep_blank_values=True).items()}
        places = {"querystring": set(), "header": set()}
        if operation.input_shape is not None:
            for member in operation.input_shape.required_members:
                where = operation.input_shape.members[member].serialization
                if where.get("location") in places:
                    places[where["location"]].add(where["name"].lower() if where["location"] == "header" else where["name"])
        found.append((name, operation.http["method"], "{Bucket}" in path, "{Key+}" in path, fixed, places["querystring"], places["header"]))
    return found
