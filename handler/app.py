"""The Lambda function: detects the kind of event and delegates."""

import os
from functools import cache
from typing import Any

from coinfarm.errors import CoinfarmError
from coinfarm.serving.request import PredictionRequest, parse_request
from coinfarm.serving.response import model_identity, response_document
from coinfarm.serving.service import Service
from coinfarm.serving.settings import Settings
from handler.telemetry import count, logger, measured, monitored_service, record_prediction_metrics, report_error, traced


@cache
def service() -> Service:
    """The service of this container: created at the first event and reused by later invocations."""
    return monitored_service(Settings.from_environment(os.environ))


@logger.inject_lambda_context(clear_state=True)
@measured
@traced
def lambda_handler(event: dict[str, Any], context: Any) -> Any:
    """Handle an event of API Gateway (REST or HTTP API) or SQS, a direct request, or `{"warmup": true}`."""
    count("Invocations")
    if _is_api(event):
        from handler import api

        return api.handle(event, context, service)
    if _is_queue(event):
        from handler import message_batch

        return message_batch.handle(event, context, service())
    try:
        return _warm_up() if event == {"warmup": True} else _predict(event)
    except CoinfarmError as error:
        return report_error(error)


def _is_api(event: Any) -> bool:
    return isinstance(event, dict) and "requestContext" in event


def _is_queue(event: Any) -> bool:
    records = event.get("Records") if isinstance(event, dict) else None
    return isinstance(records, list) and bool(records) and all(_is_message(record) for record in records)


def _is_message(record: Any) -> bool:
    return isinstance(record, dict) and record.get("eventSource") == "aws:sqs"


def _warm_up() -> dict[str, Any]:
    """Load the model before the first request needs it, for a schedule or the last step of a deployment."""
    return {"warm": True, "model": model_identity(service().model())}


def _predict(event: Any) -> dict[str, Any]:
    request = parse_request(PredictionRequest, event)
    series = request.series(service().settings.max_frames)
    predictor = service().predictor(request.model_version)
    document = response_document(predictor.model, predictor.predict(series))
    record_prediction_metrics(predictor)
    return document
