import io
import json

import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from coinfarm.aws.lambda_function import LambdaFunction
from coinfarm.errors import CoinfarmError

ARN = "arn:aws:lambda:eu-west-1:1:function:api:live"
EVENT = {"symbol": "DEMOUSD"}


@pytest.fixture
def function():
    """A function, and a stub of its client."""
    function = LambdaFunction(ARN)
    with Stubber(function._client) as stub:
        yield function, stub
        stub.assert_no_pending_responses()


def returned(document, **more):
    data = json.dumps(document).encode()
    return {"StatusCode": 200, "Payload": StreamingBody(io.BytesIO(data), len(data)), **more}


def test_invokes_the_function_in_the_region_of_its_arn(function):
    function, stub = function
    stub.add_response("invoke", returned({"results": []}), {"FunctionName": ARN, "Payload": json.dumps(EVENT).encode()})
    assert function.invoke(EVENT) == {"results": []}
    assert function._client.meta.region_name == "eu-west-1"


def test_an_error_of_the_function_is_raised_with_its_reason(function):
    function, stub = function
    stub.add_response("invoke", returned({"errorMessage": "Task timed out after 29.00 seconds"}, FunctionError="Unhandled"))
    with pytest.raises(CoinfarmError, match=r"function:api:live .*Task timed out after 29\.00 seconds"):
        function.invoke(EVENT)
