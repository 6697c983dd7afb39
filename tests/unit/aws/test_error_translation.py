import pytest
from botocore.awsrequest import AWSResponse
from botocore.stub import Stubber

from coinfarm.aws.cloudformation import Stack
from coinfarm.aws.lambda_function import LambdaFunction
from coinfarm.aws.sqs import Queue
from coinfarm.errors import Forbidden, NotFound, StorageError, Unavailable

QUEUE_URL = "https://sqs.us-east-1.amazonaws.com/1/shards"
FUNCTION_ARN = "arn:aws:lambda:eu-west-1:1:function:api:live"


def stack():
    stack = Stack("farm")
    return stack._client, "describe_stacks", lambda: stack.outputs


def function():
    function = LambdaFunction(FUNCTION_ARN)
    return function._client, "invoke", lambda: function.invoke({})


def queue():
    queue = Queue(QUEUE_URL)
    return queue._client, "receive_message", queue.receive


@pytest.mark.parametrize(
    ("service", "code", "status", "error", "named"),
    [
        (stack, "ValidationError: Stack with id farm does not exist", 400, NotFound, "AWS_REGION"),
        (stack, "ValidationError: 'stackName' failed to satisfy constraint", 400, StorageError, "'stackName'"),
        (stack, "AccessDenied", 403, Forbidden, "cloudformation:DescribeStacks"),
        (stack, "ExpiredToken", 403, Forbidden, "expired"),
        (stack, "ExpiredToken", 400, Forbidden, "expired"),
        (stack, "InvalidClientTokenId", 403, Forbidden, "credentials"),
        (stack, "Throttling", 400, Unavailable, "Throttling"),
        (function, "ResourceNotFoundException", 404, NotFound, FUNCTION_ARN),
        (function, "AccessDeniedException", 403, Forbidden, "lambda:InvokeFunction"),
        (function, "TooManyRequestsException", 429, Unavailable, FUNCTION_ARN),
        (queue, "AWS.SimpleQueueService.NonExistentQueue", 400, NotFound, QUEUE_URL),
        (queue, "KMS.AccessDeniedException", 400, Forbidden, QUEUE_URL),
        (queue, "RequestThrottled", 400, Unavailable, QUEUE_URL),
        (queue, "InvalidParameterValue", 400, StorageError, "InvalidParameterValue"),
    ],
)
def test_an_error_response_becomes_an_error_class_with_place_and_remedy(service, code, status, error, named):
    client, operation, call = service()
    code, _, message = code.partition(": ")
    with Stubber(client) as stub:
        stub.add_client_error(operation, code, message, status)
        with pytest.raises(StorageError) as raised:
            call()
    assert type(raised.value) is error
    assert named in str(raised.value)


@pytest.mark.parametrize("service", [stack, function, queue])
def test_no_credentials_are_forbidden(monkeypatch, service):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(Forbidden, match="credentials"):
        service()[2]()


def test_an_unparseable_response_counts_as_unavailable(monkeypatch):
    """A proxy, for example, responds with a page of its own."""
    client, _, call = stack()

    def send(request, **_):
        return AWSResponse(request.url, 502, {}, type("Raw", (), {"stream": lambda self: [b"<!doctype html><title>Bad gateway</title>"]})())

    client.meta.events.register("before-send", send)
    monkeypatch.setattr("botocore.retries.standard.RetryHandler.needs_retry", lambda *_, **__: None)
    with pytest.raises(Unavailable, match="stack farm"):
        call()
