"""The routes: what each reads, does and returns."""

import base64
import json
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.utilities.data_classes import ALBEvent

from coinfarm.errors import ErrorDetail, MalformedRequest, TooLarge
from coinfarm.serving.frames import read_frames
from coinfarm.serving.request import AnyRequest, ExplanationRequest, PredictionRequest, parse_request
from coinfarm.serving.response import frames_response, model_identity, response_document
from coinfarm.serving.service import Service
from handler import schemas
from handler.api_event import authentication
from handler.candle_bodies import JSON, prediction_input, read_file, reject_query, unsupported
from handler.telemetry import record_prediction_metrics

NPZ = "application/x-npz"
PNG = "image/png"
MAX_RENDERED_FRAMES = 24

router = Router()  # type: ignore[no-untyped-call]


# coinfarm.serving parses the bodies and queries of these routes, as it does for every entry point: its errors point at the invalid candle,
# and a candle file is not JSON. The resolver validates everything else, and documents all of it.
@router.post("/predictions", enable_validation=False, summary="Predict the horizon after each window of the candles")
def post_predictions() -> Response[str]:
    service = _service()
    body, media_type = _body(service.settings.max_body_bytes), _media_type()
    if media_type == NPZ:
        reject_query(_query(), "frames have no options")
        frames, range_pct = read_frames(body, service.settings.max_frames)
        predictor = service.predictor()
        document = frames_response(predictor.model, predictor.predict_frames(frames, range_pct))
    else:
        given = prediction_input(body, media_type, _query(), service.settings)
        predictor = service.predictor(given.model_version)
        document = response_document(predictor.model, predictor.predict(given.series)) | given.file_fields
    record_prediction_metrics(predictor)
    return _json(document)


@router.post("/explanation", enable_validation=False, summary="Which candles of the last window its prediction depends on")
def post_explanation() -> Response[str]:
    from coinfarm.serving.explanation import explain, window_at

    service = _service()
    request = _json_request(ExplanationRequest, service)
    series = request.series(service.settings.max_frames)
    predictor = service.predictor(request.model_version)
    explanation = explain(predictor, window_at(series.candles, None), request.group_candles)
    record_prediction_metrics(predictor)
    return _json(explanation.to_dict())


@router.post("/frames", enable_validation=False, summary="Render the candles as the model sees them")
def post_frames() -> Response[bytes]:
    from coinfarm.serving.chart import chart_png

    service = _service()
    request = _json_request(PredictionRequest, service)
    max_frames = min(MAX_RENDERED_FRAMES, service.settings.max_frames)
    return Response(200, PNG, chart_png(request.series(max_frames)))


@router.post("/candles", enable_validation=False, summary="Read a candle file of any source and format")
def post_candles() -> Response[str]:
    from coinfarm.serving.candle_upload import ListingOptions, candles_document

    settings = _service().settings
    body = _body(settings.max_body_bytes)
    options = parse_request(ListingOptions, _query())
    return _json(candles_document(read_file(body, _media_type(), options, settings), options.limit))


@router.get("/model", summary="The model in service, and its metrics", response_description="The model")
def get_model(
    version: Annotated[str | None, Query(description="A version other than the one in service.", max_length=32)] = None,
) -> schemas.Model:
    service = _service()
    model = service.model(version)
    fields = {"outputs", "horizon_candles", "training", "metrics"}
    manifest = model.bundle.manifest.model_dump(mode="json", by_alias=True, include=fields)
    rejected = None if version is not None else _rejected(service)
    return schemas.Model.model_validate({**model_identity(model), **manifest, "rejected": rejected})


@router.get("/health", summary="Whether the process responds")
def get_health() -> schemas.Health:
    return schemas.Health(status="ok")


@router.get("/ready", summary="Load the model, and report whether it is ready")
def get_ready() -> schemas.Ready:
    service = _service()
    model = schemas.ModelIdentity(**model_identity(service.model()))
    return schemas.Ready(status="ready", model=model, rejected=_rejected(service))


@router.get("/openapi.json", enable_validation=False, summary="This document")
def get_openapi() -> Response[str]:
    from handler.committed_openapi import openapi_for

    return Response(200, JSON, openapi_for(authentication(router.current_event.raw_event)))


@router.get("/docs", enable_validation=False, summary="Interactive documentation of the API")
def get_docs() -> Response[str]:
    from handler.committed_openapi import openapi_for
    from handler.docs_page import page

    event = router.current_event
    # Only for load balancers, which pass on less than a megabyte: a REST API sends a compressed page on as base64 text.
    return Response(
        200, "text/html; charset=utf-8", page(openapi_for(authentication(event.raw_event))), compress=isinstance(event, ALBEvent)
    )


def _rejected(service: Service) -> schemas.RejectedVersion | None:
    """The version that the service should have loaded but could not."""
    rejection = service.rejection
    return None if rejection is None else schemas.RejectedVersion(version=rejection.version, reason=rejection.reason)


def _service() -> Service:
    service: Service = router.context["service"]()
    return service


def _body(max_bytes: int) -> bytes:
    event = router.current_event
    body = event.body or ""
    content = _from_base64(body) if event.is_base64_encoded else body.encode(errors="surrogatepass")  # a lone surrogate is invalid JSON
    if len(content) > max_bytes:
        raise TooLarge(
            f"the body has more than {max_bytes} bytes: send fewer candles at a time, or put them into a file and send its URI to the queue"
        )
    return content


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise MalformedRequest(ErrorDetail("", "the event declares its body as base64, but it is not")) from None


def _media_type() -> str:
    return str(router.current_event.headers.get("content-type") or JSON).partition(";")[0].strip().lower()


def _query() -> dict[str, str]:
    return dict(router.current_event.query_string_parameters or {})


def _json_request(kind: type[AnyRequest], service: Service) -> AnyRequest:
    body = _body(service.settings.max_body_bytes)
    if _media_type() != JSON:
        raise unsupported(_media_type(), (JSON,))
    return parse_request(kind, body)


def _json(document: dict[str, Any]) -> Response[str]:
    return Response(200, JSON, json.dumps(document))
