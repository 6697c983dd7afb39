"""Requests with synthetic candles, and events that contain them."""

import base64
import io
import json
import runpy
import sys
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from coinfarm.candles.candles import Candles
from coinfarm.candles.json_rows import rows_from_candles
from coinfarm.candles.synthetic import generate
from tests.support.repository import ROOT

EVENTS = ROOT / "events"
MINUTE_MS = 60_000
START_MS = 1_767_225_600_000

sys.path.append(str(EVENTS))  # where make.py finds envelopes.py, as it does when it is run
_make = runpy.run_path(str(EVENTS / "make.py"))
rest_event, http_event, queue_event = _make["rest_event"], _make["http_event"], _make["queue_event"]
function_url_event, load_balancer_event, multi_value_event = (
    _make[name] for name in ("function_url_event", "load_balancer_event", "multi_value_event")
)
object_created, bucket_notification, topic_notification = (
    _make[name] for name in ("object_created", "bucket_notification", "topic_notification")
)
topic_event, scheduled_event, scheduler_event = (_make[name] for name in ("topic_event", "scheduled_event", "scheduler_event"))
make_events, make_candles = _make["events"], _make["demo_candles"]


@cache
def _all_candles(seed: int) -> Candles:
    return generate("DEMOUSD", "1m", START_MS, 1200, seed)


def demo_candles(count: int = 200, seed: int = 1) -> Candles:
    """The first `count` of 1,200 candles."""
    return _all_candles(seed)[:count]


def demo_request(count: int = 200, seed: int = 1, **fields: Any) -> dict[str, Any]:
    """A request with `count` candles and additional fields."""
    candles = demo_candles(count, seed)
    return {"symbol": candles.symbol, "interval": candles.interval, "candles": rows_from_candles(candles), **fields}


def message(name: str, count: int = 200, seed: int = 1, **fields: Any) -> dict[str, Any]:
    """An SQS message whose result is written to NAME.json."""
    return {**demo_request(count, seed), "resultsUri": f"{name}.json", **fields}


def failed_ids(response: dict[str, Any]) -> list[str]:
    """The ids of the messages that return to the queue, from a partial batch response."""
    assert list(response) == ["batchItemFailures"]
    assert all(list(failure) == ["itemIdentifier"] for failure in response["batchItemFailures"])
    return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]


def npz(**members: Any) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **members)
    return file.getvalue()


@dataclass(frozen=True)
class ApiResponse:
    """A response of the handler, as an HTTP client receives it."""

    status: int
    media_type: str
    content: bytes

    @classmethod
    def of(cls, response: dict[str, Any]) -> "ApiResponse":
        """Convert the handler's response to API Gateway, of either API type."""
        headers = response.get("headers") or {name: values[0] for name, values in response["multiValueHeaders"].items()}
        body = response["body"]
        content = base64.b64decode(body) if response["isBase64Encoded"] else body.encode()
        return cls(response["statusCode"], headers["Content-Type"], content)

    def json(self) -> Any:
        return json.loads(self.content)
