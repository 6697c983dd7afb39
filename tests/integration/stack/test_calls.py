"""The IAM calls of requests that boto3 sends."""

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from tests.integration.stack.calls import Call, from_lines, iam_calls, to_lines

QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/shards"
QUEUE_ARN = "arn:aws:sqs:us-east-1:123456789012:shards"
GROUP_ARN = "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:0:autoScalingGroupName/fleet"
PROTECTION = {"InstanceIds": ["i-1"], "AutoScalingGroupName": "fleet", "ProtectedFromScaleIn": True}
OBJECT, PART = {"Bucket": "b", "Key": "a/ü b.json"}, {"PartNumber": 1, "UploadId": "1"}


def calls_of_request(service, operation, arguments, status=200):
    """Create the request with boto3, without sending it."""
    client = boto3.client(service, endpoint_url="http://127.0.0.1:9", aws_access_key_id="Role", aws_secret_access_key="secret")
    found = []

    def stop(request, **_):
        path, _, query = request.url.removeprefix("http://127.0.0.1:9").partition("?")
        environ = {"REQUEST_METHOD": request.method, "PATH_INFO": path, "QUERY_STRING": query}
        for name, value in request.headers.items():
            text = value.decode() if isinstance(value, bytes) else value
            environ["CONTENT_TYPE" if name == "Content-Type" else f"HTTP_{name.upper().replace('-', '_')}"] = text
        body = request.body.encode() if isinstance(request.body, str) else request.body
        found.extend(iam_calls(environ, body if isinstance(body, bytes) else b"", status, group_of=lambda _: "fleet"))
        return AWSResponse(request.url, 200, {}, None)

    client.meta.events.register("before-send", stop)
    client.meta.events.register("needs-retry", lambda **_: None)
    try:
        getattr(client, operation)(**arguments)
    except Exception:  # noqa: BLE001 - there is no response to parse
        assert found
    return found


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "action", "resource"),
    [
        ("s3", "head_object", OBJECT, "s3:GetObject", "arn:aws:s3:::b/a/ü b.json"),
        ("s3", "upload_part", {**OBJECT, **PART, "Body": b"1"}, "s3:PutObject", "arn:aws:s3:::b/a/ü b.json"),
        ("s3", "abort_multipart_upload", {**OBJECT, "UploadId": "1"}, "s3:AbortMultipartUpload", "arn:aws:s3:::b/a/ü b.json"),
        ("s3", "list_objects_v2", {"Bucket": "b", "Prefix": "a/"}, "s3:ListBucket", "arn:aws:s3:::b"),
        ("s3", "get_bucket_versioning", {"Bucket": "b"}, "s3:GetBucketVersioning", "arn:aws:s3:::b"),
        ("sqs", "send_message_batch", {"QueueUrl": QUEUE, "Entries": [{"Id": "1", "MessageBody": "x"}]}, "sqs:SendMessage", QUEUE_ARN),
        ("sqs", "get_queue_url", {"QueueName": "shards"}, "sqs:GetQueueUrl", QUEUE_ARN),
        ("autoscaling", "set_instance_protection", PROTECTION, "autoscaling:SetInstanceProtection", GROUP_ARN),
        ("cloudwatch", "put_metric_data", {"Namespace": "n", "MetricData": [{"MetricName": "m"}]}, "cloudwatch:PutMetricData", "*"),
    ],
)
def test_request_calls_an_action_on_a_resource(service, operation, arguments, action, resource):
    assert calls_of_request(service, operation, arguments) == [Call("Role", action, resource)]


def test_missing_object_also_needs_permission_to_list():
    calls = calls_of_request("s3", "get_object", OBJECT, status=404)
    assert calls == [Call("Role", "s3:GetObject", "arn:aws:s3:::b/a/ü b.json"), Call("Role", "s3:ListBucket", "arn:aws:s3:::b")]


def test_unsigned_request_makes_no_call():
    assert iam_calls({"QUERY_STRING": "", "PATH_INFO": "/", "REQUEST_METHOD": "GET"}, b"", 200, group_of=None) == []


def test_calls_survive_formatting_and_parsing():
    calls = [Call("Role", "s3:ListBucket", "arn:aws:s3:::b", {"s3:prefix": "a/"})]
    assert from_lines(to_lines(calls)) == calls
