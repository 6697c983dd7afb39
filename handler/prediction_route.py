"""`POST /predictions` with JSON in a server: the route of `handler.api_routes` for many requests at a time.

Powertools' resolvers handle one request at a time, because they store it in one place per process.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from coinfarm.serving.request_queue import RequestQueue
from coinfarm.serving.service import Service
from handler.candle_bodies import JSON, begins_with_candles
from handler.problems import CONTENT_TYPE
from handler.telemetry import count, print_metrics, record_prediction_metrics, report_error


class PredictionRoute:
    """Passes requests to a queue, and makes its documents and errors responses."""

    def __init__(self, service: Service, on_waiting: Callable[[int], None]) -> None:
        """`on_waiting` is that of `RequestQueue`."""
        self._settings = service.settings
        self._queue = RequestQueue(service, record_prediction_metrics, on_waiting)

    def accepts(self, method: str, path: str, headers: Mapping[str, str], query: bytes, body: bytes) -> bool:
        """Whether this is a request for this route, and of an allowed size. All others are for `handler.api_routes`."""
        if (method, path) != ("POST", "/predictions") or query or len(body) > self._settings.max_body_bytes:
            return False
        media_type = (headers.get("content-type") or JSON).partition(";")[0].strip().lower()
        return media_type == JSON and begins_with_candles(body)

    async def respond(self, body: bytes) -> dict[str, Any]:
        """The response, in the format of those to API Gateway. Errors become problem documents."""
        count("Invocations")
        (document,) = await asyncio.gather(asyncio.wrap_future(self._queue.predict(body)), return_exceptions=True)
        status, media_type = 200, JSON
        if isinstance(document, Exception):
            document = report_error(document)
            status, media_type = document["status"], CONTENT_TYPE
        elif isinstance(document, BaseException):
            raise document
        print_metrics()
        return {"statusCode": status, "headers": {"Content-Type": media_type}, "body": json.dumps(document)}

    def close(self) -> None:
        """Finish all requests."""
        self._queue.close()
