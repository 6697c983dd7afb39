"""Checks the shape of API Gateway events before they are routed, because Powertools does not."""

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


def is_http_api(event: dict[str, Any]) -> bool:
    """Whether the event comes from an HTTP API (payload format 2.0) rather than a REST API."""
    return event.get("version") == "2.0"


def check_envelope(event: dict[str, Any]) -> None:
    """Raise `MalformedRequest` with pointers to fields that do not have the shape that API Gateway sends."""
    try:
        (_HttpEvent if is_http_api(event) else _RestEvent).model_validate(event)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)[:10]
        raise MalformedRequest(*error_details(found)) from None
