"""What AWS gives a handler, for a handler that runs elsewhere: the context of an invocation, and HTTP requests as events."""

import base64
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl


@dataclass
class LocalContext:
    """The context object of one invocation, as far as Powertools and our handlers read it."""

    function_name: str = "coinfarm-local"
    memory_limit_in_mb: int = 0
    timeout_s: float = 900
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: float = field(default_factory=time.monotonic)

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:local:000000000000:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """What is left of the time that this invocation may take."""
        return max(0, round(1000 * (self.timeout_s - (time.monotonic() - self.started))))


def http_event(method: str, path: str, *, headers: Mapping[str, str], query: str = "", body: bytes = b"") -> dict[str, Any]:
    """An HTTP request as the event of an HTTP API, payload format 2.0; header names in lower case, the body always in base64."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": dict(headers),
        "queryStringParameters": dict(parse_qsl(query, keep_blank_values=True)),
        "requestContext": {
            "stage": "$default",
            "requestId": str(uuid.uuid4()),
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1"},
        },
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }
