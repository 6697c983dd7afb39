"""Checks the shape of HTTP events before they are routed, because Powertools does not."""

from enum import Enum, auto
from typing import Any

from pydantic import BaseModel, ConfigDict, StrictBool, StrictStr, ValidationError

from coinfarm.errors import MalformedRequest, error_details


class _Envelope(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Content(_Envelope):
    headers: dict[StrictStr, StrictStr] | None = None
    queryStringParameters: dict[StrictStr, StrictStr] | None = None  # noqa: N815 - AWS spells it
    body: StrictStr | None = None
    isBase64Encoded: StrictBool | None = None  # noqa: N815


class _RestEvent(_Content):
    httpMethod: StrictStr  # noqa: N815
    path: StrictStr
    requestContext: dict[StrictStr, Any]  # noqa: N815
    multiValueHeaders: dict[StrictStr, list[StrictStr]] | None = None  # noqa: N815
    multiValueQueryStringParameters: dict[StrictStr, list[StrictStr]] | None = None  # noqa: N815


class _Http(_Envelope):
    method: StrictStr


class _HttpContext(_Envelope):
    http: _Http
    stage: StrictStr


class _HttpEvent(_Content):
    rawPath: StrictStr  # noqa: N815
    requestContext: _HttpContext  # noqa: N815


class Gateway(Enum):
    """What sends an HTTP request as an event. Each has a format of its own, for the response too."""

    REST_API = auto()
    HTTP_API = auto()
    """An HTTP API, or the URL of the function: payload format 2.0."""
    LOAD_BALANCER = auto()


def gateway_of(event: dict[str, Any]) -> Gateway:
    """What sent the event."""
    if event.get("version") == "2.0":
        return Gateway.HTTP_API
    context = event["requestContext"]
    return Gateway.LOAD_BALANCER if isinstance(context, dict) and "elb" in context else Gateway.REST_API


def check_envelope(event: dict[str, Any]) -> None:
    """Raise `MalformedRequest` with pointers to fields that do not have the shape that AWS sends."""
    try:
        (_HttpEvent if gateway_of(event) is Gateway.HTTP_API else _RestEvent).model_validate(event)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)[:10]
        raise MalformedRequest(*error_details(found)) from None


def authentication(event: dict[str, Any]) -> str | None:
    """The security scheme of the OpenAPI document by which the gateway has authenticated the caller; None if it asks for nothing."""
    identity = _object(event["requestContext"], "identity")
    if identity.get("apiKey"):
        return "apiKey"
    return "sigv4" if identity.get("userArn") or _object(event["requestContext"], "authorizer").get("iam") else None


def _object(parent: dict[str, Any], name: str) -> dict[str, Any]:
    found = parent.get(name)
    return found if isinstance(found, dict) else {}
