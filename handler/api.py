"""The routes behind API Gateway: REST proxy events and HTTP API (v2) events alike."""

import base64
import json
from collections.abc import Callable
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Query

from coinfarm.errors import ErrorDetail, InvalidInput, MalformedRequest, TooLarge, error_details
from coinfarm.serving.frames import read_frames
from coinfarm.serving.request import PredictionRequest, parse_request
from coinfarm.serving.response import frames_response, model_identity, response_document
from coinfarm.serving.service import Service
from handler import schemas
from handler.api_event import check_envelope, is_http_api
from handler.problems import CONTENT_TYPE, MethodNotAllowed, RouteNotFound, UnsupportedMediaType
from handler.telemetry import record_prediction_metrics, report_error

JSON = "application/json"
NPZ = "application/x-npz"
PNG = "image/png"
MAX_RENDERED_FRAMES = 24

router = Router()  # type: ignore[no-untyped-call]


def handle(event: dict[str, Any], context: Any, service: Callable[[], Service]) -> dict[str, Any]:
    """Handle an API Gateway event in either payload format. Never raises; if `service` raises, the routes that need it return the error."""
    try:
        check_envelope(event)
    except MalformedRequest as error:
        response = _problem(error)
        return {
            "statusCode": response.status_code,
            "headers": {"Content-Type": CONTENT_TYPE},
            "body": response.body,
            "isBase64Encoded": False,
        }
    resolver = _http if is_http_api(event) else _rest
    # not on the resolver: the router shares its context with one of the two
    router.append_context(service=service)  # type: ignore[no-untyped-call]
    resolved: dict[str, Any] = resolver.resolve(event, context)
    return resolved


# coinfarm.serving.request parses the bodies of /predictions and /frames, as it does for every entry point: its errors point at the
# invalid candle, and an npz body is not JSON. The resolver validates everything else, and documents all of it.
@router.post("/predictions", enable_validation=False, summary="Predict the horizon after each window of the candles")
def post_predictions() -> Response[str]:
    service = _service()
    body = _body(service.settings.max_body_bytes)
    media_type = _media_type()
    if media_type == NPZ:
        frames, range_pct = read_frames(body, service.settings.max_frames)
        predictor = service.predictor()
        document = frames_response(predictor.model, predictor.predict_frames(frames, range_pct))
    elif media_type == JSON:
        request = parse_request(PredictionRequest, body)
        series = request.series(service.settings.max_frames)
        predictor = service.predictor(request.model_version)
        document = response_document(predictor.model, predictor.predict(series))
    else:
        raise UnsupportedMediaType(ErrorDetail("", f"{media_type} is not accepted here: send {JSON} or {NPZ}"))
    record_prediction_metrics(predictor)
    return _json(document)


@router.post("/frames", enable_validation=False, summary="Render the candles as the model sees them")
def post_frames() -> Response[bytes]:
    from coinfarm.serving.chart import chart_png

    service = _service()
    body = _body(service.settings.max_body_bytes)
    if _media_type() != JSON:
        raise UnsupportedMediaType(ErrorDetail("", f"{_media_type()} is not accepted here: send {JSON}"))
    request = parse_request(PredictionRequest, body)
    max_frames = min(MAX_RENDERED_FRAMES, service.settings.max_frames)
    return Response(200, PNG, chart_png(request.series(max_frames)))


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
    from handler.committed_openapi import openapi_json

    return Response(200, JSON, openapi_json())


@router.get("/docs", enable_validation=False, summary="Interactive documentation of the API")
def get_docs() -> Response[str]:
    from handler.docs_page import page

    return Response(200, "text/html; charset=utf-8", page())


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


def _json(document: dict[str, Any]) -> Response[str]:
    return Response(200, JSON, json.dumps(document))


def _problem(error: Exception) -> Response[str]:
    document = report_error(error)
    return Response(document["status"], CONTENT_TYPE, json.dumps(document))


def _invalid(error: RequestValidationError) -> Response[str]:
    """The errors of Powertools' validation as a problem document."""
    return _problem(InvalidInput(*error_details(error.errors())))


def _route_not_found(_: Exception) -> Response[str]:
    from handler.committed_openapi import openapi_json

    event = router.current_event
    allowed = ", ".join(sorted(method.upper() for method in json.loads(openapi_json())["paths"].get(event.path, ())))
    if allowed:
        response = _problem(MethodNotAllowed(ErrorDetail("", f"{event.path} accepts {allowed}, not {event.http_method}")))
        response.headers["Allow"] = allowed
        return response
    return _problem(RouteNotFound(ErrorDetail("", f"{event.http_method} {event.path} is not a route; see /docs")))


def _resolver(kind: type[APIGatewayRestResolver] | type[APIGatewayHttpResolver]) -> APIGatewayRestResolver | APIGatewayHttpResolver:
    resolver = kind(enable_validation=True)
    resolver.include_router(router)
    resolver.exception_handler(RequestValidationError)(_invalid)
    resolver.exception_handler(Exception)(_problem)
    resolver.not_found(_route_not_found)
    return resolver


resolvers = _rest, _http = _resolver(APIGatewayRestResolver), _resolver(APIGatewayHttpResolver)
