"""Lambda contexts and API Gateway events for a handler that runs outside AWS."""

import base64
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl


@dataclass
class LocalContext:
    """The context object of one invocation, with the attributes that Powertools and the handlers read."""

    function_name: str = "coinfarm-local"
    memory_limit_in_mb: int = 0
    timeout_s: float = 900
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: float = field(default_factory=time.monotonic)

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:local:000000000000:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, round(1000 * (self.timeout_s - (time.monotonic() - self.started))))


def http_event(method: str, path: str, *, headers: Mapping[str, str], query: str = "", body: bytes = b"") -> dict[str, Any]:
    """An HTTP request as an HTTP API event (payload format 2.0). Header names are lower case; the body is always base64."""
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
