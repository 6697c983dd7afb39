"""Requests through an Application Load Balancer: what differs from API Gateway."""

from http import HTTPStatus
from typing import Any
from urllib.parse import unquote_plus

from aws_lambda_powertools.event_handler.exceptions import ResponseSizeExceededError

from coinfarm.errors import TooLarge

Json = dict[str, Any]


def as_of_api_gateway(event: Json) -> Json:
    """The event with decoded parameters, and with the last value of each header and parameter, if the target group sends lists of them."""
    lists = event.get("multiValueQueryStringParameters")
    parameters = {name: each[-1] for name, each in lists.items() if each} if lists else event.get("queryStringParameters") or {}
    changed: Json = {"queryStringParameters": {unquote_plus(name): unquote_plus(value) for name, value in parameters.items()}}
    if lists:
        changed["multiValueQueryStringParameters"] = {unquote_plus(name): [*map(unquote_plus, each)] for name, each in lists.items()}
    if event.get("multiValueHeaders"):
        changed["headers"] = {name: each[-1] for name, each in event["multiValueHeaders"].items() if each}
    return event | changed


def proxy_response(event: Json, response: Json) -> Json:
    """A response in the load balancer's format: with the status in words, and with lists of headers if the event has them."""
    status = response["statusCode"]
    found = {**response, "statusDescription": f"{status} {HTTPStatus(status).phrase}"}
    if event.get("multiValueHeaders") and "headers" in found:
        found["multiValueHeaders"] = {name: [value] for name, value in found.pop("headers").items()}
    return found


def too_large(error: ResponseSizeExceededError) -> TooLarge:
    """The error for a response that a load balancer would replace with 502."""
    return TooLarge(f"{error}: send fewer candles at a time, or use API Gateway or a function URL, which pass on more")
