"""A deployed function, through boto3's Lambda: the one place that speaks to it. Import it where a function is first needed."""

import json
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from coinfarm.aws.client import aws_client
from coinfarm.aws.errors import Answer, Service, translated
from coinfarm.errors import CoinfarmError, NotFound, StorageError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_ANSWERS_WITHIN_S = 60
"""The API's function is stopped after 29 s; before it a container may have to start."""


class Function:
    """The function, or its alias, of an ARN; nothing is asked of it yet."""

    def __init__(self, arn: str) -> None:
        self._arn = arn

    def answer(self, event: Any) -> Any:
        """What it returns for the event.

        Raises `CoinfarmError` where it breaks off instead, `NotFound`, `Forbidden` and other `StorageError` where it cannot be called.
        """
        with _translated(self._arn):
            called = self._client.invoke(FunctionName=self._arn, Payload=json.dumps(event).encode())
            answered = json.loads(called["Payload"].read())
        if "FunctionError" in called:
            raise CoinfarmError(f"{self._arn} broke off: {answered.get('errorMessage', answered)}; its log group tells more")
        return answered

    @cached_property
    def _client(self) -> "LambdaClient":
        client: LambdaClient = aws_client("lambda", region=self._arn.split(":")[3], read_timeout_s=_ANSWERS_WITHIN_S)
        return client


def _own_error(where: str, answer: Answer) -> StorageError | None:
    return NotFound(f"{where}: there is no such function") if answer.code == "ResourceNotFoundException" else None


_translated = partial(
    translated,
    service=Service("Lambda", to_allow="call lambda:InvokeFunction", no_answer="the function cannot be reached", own_error=_own_error),
)
