import io
import json

import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from coinfarm.aws.lambda_function import LambdaFunction
from coinfarm.errors import CoinfarmError, Forbidden, NotFound, Unavailable

ARN = "arn:aws:lambda:eu-west-1:1:function:api:live"
EVENT = {"symbol": "DEMOUSD"}


@pytest.fixture
def function():
    """A function, and a stub of the service's answers."""
    function = LambdaFunction(ARN)
    with Stubber(function._client) as stub:
        yield function, stub
        stub.assert_no_pending_responses()


def returned(document, **more):
    data = json.dumps(document).encode()
    return {"StatusCode": 200, "Payload": StreamingBody(io.BytesIO(data), len(data)), **more}


def test_the_answer_is_what_the_function_returns_where_it_lies(function):
    function, stub = function
    stub.add_response("invoke", returned({"results": []}), {"FunctionName": ARN, "Payload": json.dumps(EVENT).encode()})
    assert function.invoke(EVENT) == {"results": []}
    assert function._client.meta.region_name == "eu-west-1"


def test_a_function_that_breaks_off_says_why(function):
    function, stub = function
    stub.add_response("invoke", returned({"errorMessage": "Task timed out after 29.00 seconds"}, FunctionError="Unhandled"))
    with pytest.raises(CoinfarmError, match=r"function:api:live broke off: Task timed out after 29\.00 seconds; its log group tells more"):
        function.invoke(EVENT)


@pytest.mark.parametrize(
    ("code", "status", "error", "words"),
    [
        ("ResourceNotFoundException", 404, NotFound, "there is no such function"),
        ("AccessDeniedException", 403, Forbidden, "allow this role to call lambda:InvokeFunction"),
        ("TooManyRequestsException", 429, Unavailable, "is unavailable"),
    ],
)
def test_what_lambda_refuses_is_told_with_the_remedy(function, code, status, error, words):
    function, stub = function
    stub.add_client_error("invoke", code, "no", status)
    with pytest.raises(error, match=f"{ARN}: .*{words}"):
        function.invoke(EVENT)
