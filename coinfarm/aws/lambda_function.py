"""A deployed function, through boto3's Lambda: the one place that speaks to it. Import it where a function is first needed."""

import json
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from coinfarm.aws.client import aws_client
from coinfarm.aws.error_translation import AwsService, ErrorResponse, translate_errors
from coinfarm.errors import CoinfarmError, NotFound, StorageError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_ANSWERS_WITHIN_S = 60
"""The API's function is stopped after 29 s; before it a container may have to start."""


class LambdaFunction:
    """The function, or its alias, of an ARN; nothing is asked of it yet."""

    def __init__(self, arn: str) -> None:
        self._arn = arn

    def invoke(self, event: Any) -> Any:
        """What it returns for the event.

        Raises `CoinfarmError` where it breaks off instead, `NotFound`, `Forbidden` and other `StorageError` where it cannot be called.
        """
        with _translate_errors(self._arn):
            called = self._client.invoke(FunctionName=self._arn, Payload=json.dumps(event).encode())
            answered = json.loads(called["Payload"].read())
        if "FunctionError" in called:
            raise CoinfarmError(f"{self._arn} broke off: {answered.get('errorMessage', answered)}; its log group tells more")
        return answered

    @cached_property
    def _client(self) -> "LambdaClient":
        client: LambdaClient = aws_client("lambda", region=self._arn.split(":")[3], read_timeout_s=_ANSWERS_WITHIN_S)
        return client


def _specific_error(where: str, response: ErrorResponse) -> StorageError | None:
    return NotFound(f"{where}: there is no such function") if response.code == "ResourceNotFoundException" else None


_SERVICE = AwsService(
    "Lambda",
    required_permission="call lambda:InvokeFunction",
    unreachable="the function cannot be reached",
    specific_error=_specific_error,
)
_translate_errors = partial(translate_errors, service=_SERVICE)
