"""A deployed Lambda function. Import it lazily: boto3 is slow to load."""

import json
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from coinfarm.aws.client import aws_client
from coinfarm.aws.error_translation import ErrorResponse, ServiceErrorMessages, translate_errors
from coinfarm.errors import CoinfarmError, NotFound, StorageError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_TIMEOUT_S = 60
"""The 29 s of the API's function, plus its cold start."""


class LambdaFunction:
    """A function, or an alias of one, by ARN. Makes no call before its first use."""

    def __init__(self, arn: str) -> None:
        self._arn = arn

    def invoke(self, event: Any) -> Any:
        """The function's return value for `event`.

        Raises `CoinfarmError` if the function fails, and `NotFound`, `Forbidden` or another `StorageError` if it cannot be invoked.
        """
        with _translate_errors(self._arn):
            response = self._client.invoke(FunctionName=self._arn, Payload=json.dumps(event).encode())
            payload = json.loads(response["Payload"].read())
        if "FunctionError" in response:
            raise CoinfarmError(f"{self._arn} failed: {payload.get('errorMessage', payload)}; see its log group")
        return payload

    @cached_property
    def _client(self) -> "LambdaClient":
        client: LambdaClient = aws_client("lambda", region=self._arn.split(":")[3], read_timeout_s=_TIMEOUT_S)
        return client


def _specific_error(where: str, response: ErrorResponse) -> StorageError | None:
    return NotFound(f"{where}: no such function") if response.code == "ResourceNotFoundException" else None


_ERROR_MESSAGES = ServiceErrorMessages(
    "Lambda",
    required_permission="call lambda:InvokeFunction",
    unreachable="the function cannot be reached",
    specific_error=_specific_error,
)
_translate_errors = partial(translate_errors, messages=_ERROR_MESSAGES)
