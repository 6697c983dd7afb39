"""HTTP requests behind API Gateway, function URLs and load balancers alike: their routes, errors and CORS."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from aws_lambda_powertools.event_handler import ALBResolver, APIGatewayHttpResolver, APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver
from aws_lambda_powertools.event_handler.exceptions import ResponseSizeExceededError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from coinfarm.errors import CoinfarmError, ErrorDetail, InvalidInput, MalformedRequest, error_details
from coinfarm.serving.service import Service
from handler.api_event import Gateway, check_envelope, gateway_of
from handler.api_routes import router
from handler.cors import cors_config, with_vary
from handler.load_balancer import as_of_api_gateway, proxy_response, too_large
from handler.problems import CONTENT_TYPE, MethodNotAllowed, RouteNotFound
from handler.telemetry import report_error


def handle(event: dict[str, Any], context: Any, service: Callable[[], Service]) -> dict[str, Any]:
    """Handle an HTTP event of any `Gateway`. Never raises; if `service` raises, the routes that need it return the error."""
    gateway = gateway_of(event)
    try:
        check_envelope(event)
    except MalformedRequest as error:
        response = _rejection(error)
    else:
        # not on the resolver: the router shares its context with one of the three
        router.append_context(service=service)  # type: ignore[no-untyped-call]
        shown = as_of_api_gateway(event) if gateway is Gateway.LOAD_BALANCER else event
        origins = _allowed_origins(service)
        response = with_vary(cors_config(origins), resolvers(origins)[gateway].resolve(shown, context))
    return proxy_response(event, response) if gateway is Gateway.LOAD_BALANCER else response


def _allowed_origins(service: Callable[[], Service]) -> tuple[str, ...]:
    try:
        return service().settings.allowed_origins
    except CoinfarmError:  # invalid settings: the routes that need them return the error
        return ()


def _rejection(error: MalformedRequest) -> dict[str, Any]:
    response = _problem(error)
    return {
        "statusCode": response.status_code,
        "headers": {"Content-Type": CONTENT_TYPE},
        "body": response.body,
        "isBase64Encoded": False,
    }


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


def _response_too_large(error: ResponseSizeExceededError) -> Response[str]:
    return _problem(too_large(error))


def _prepared(resolver: ApiGatewayResolver) -> ApiGatewayResolver:
    resolver.include_router(router)
    resolver.exception_handler(RequestValidationError)(_invalid)
    resolver.exception_handler(ResponseSizeExceededError)(_response_too_large)
    resolver.exception_handler(Exception)(_problem)
    resolver.not_found(_route_not_found)
    return resolver


@cache
def resolvers(allowed_origins: tuple[str, ...] = ()) -> dict[Gateway, ApiGatewayResolver]:
    """The resolver of each kind of event, with CORS for these origins."""
    cors = cors_config(allowed_origins)
    return {
        Gateway.REST_API: _prepared(APIGatewayRestResolver(cors=cors, enable_validation=True)),
        Gateway.HTTP_API: _prepared(APIGatewayHttpResolver(cors=cors, enable_validation=True)),
        Gateway.LOAD_BALANCER: _prepared(ALBResolver(cors=cors, enable_validation=True, enable_response_size_validation=True)),
    }
