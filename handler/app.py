"""The Lambda function: detects the kind of event and delegates."""

import os
from functools import cache
from typing import Any

from coinfarm.errors import CoinfarmError
from coinfarm.serving.request import PredictionRequest, parse_request
from coinfarm.serving.response import model_identity, response_document
from coinfarm.serving.service import Service
from coinfarm.serving.settings import Settings
from handler.event_kinds import EventKind, event_kind
from handler.telemetry import count, logger, measured, monitored_service, record_prediction_metrics, report_error, traced


@cache
def service() -> Service:
    """The service of this container: created at the first event and reused by later invocations."""
    return monitored_service(Settings.from_environment(os.environ))


@logger.inject_lambda_context(clear_state=True)
@measured
@traced
def lambda_handler(event: Any, context: Any) -> Any:
    """Handle an event of any `EventKind`.

    A request for predictions is always answered, with a problem document if it fails, because its caller waits. What is invoked
    asynchronously, and every unknown event, raises: only then does Lambda retry it, and finally send it to a dead-letter queue.
    """
    count("Invocations")
    try:
        kind = event_kind(event)
        if kind is EventKind.API:
            from handler import api

            return api.handle(event, context, service)
        if kind is EventKind.PREDICTION:
            return _predict(event)
        return _process(kind, event, context)
    except CoinfarmError as error:
        report_error(error)
        raise


def _process(kind: EventKind, event: dict[str, Any], context: Any) -> Any:
    """Handle the kinds that are invoked asynchronously."""
    if kind is EventKind.WARM_UP:
        return {"warm": True, "model": model_identity(service().model())}
    if kind is EventKind.LIVE:
        from handler import live_schedule

        return live_schedule.handle(event, context, service())
    from handler import message_batch

    return (message_batch.handle if kind is EventKind.QUEUE else message_batch.handle_uploads)(event, context, service())


def _predict(event: dict[str, Any]) -> dict[str, Any]:
    try:
        request = parse_request(PredictionRequest, event)
        series = request.series(service().settings.max_frames)
        predictor = service().predictor(request.model_version)
        document = response_document(predictor.model, predictor.predict(series))
    except CoinfarmError as error:
        return report_error(error)
    record_prediction_metrics(predictor)
    return document
