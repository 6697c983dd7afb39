"""Errors as problem documents (RFC 9457): one table maps error classes to HTTP statuses."""

from http import HTTPStatus
from typing import Any

from coinfarm.errors import (
    CandleError,
    CoinfarmError,
    Conflict,
    ErrorDetail,
    Forbidden,
    InvalidInput,
    MalformedRequest,
    ModelError,
    NotFound,
    TooLarge,
    Unavailable,
    shortened,
)

CONTENT_TYPE = "application/problem+json"
_MAX_DETAIL_LENGTH = 4000


class UnsupportedMediaType(InvalidInput):
    """The route does not accept the body's media type."""


class RouteNotFound(InvalidInput):
    """The path is not a route of the API."""


class MethodNotAllowed(InvalidInput):
    """The path does not accept the method."""


_KINDS: tuple[tuple[type[Exception], HTTPStatus, str], ...] = (
    (MalformedRequest, HTTPStatus.BAD_REQUEST, "Malformed request"),
    (UnsupportedMediaType, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Unsupported media type"),
    (RouteNotFound, HTTPStatus.NOT_FOUND, "Not found"),
    (MethodNotAllowed, HTTPStatus.METHOD_NOT_ALLOWED, "Method not allowed"),
    (CandleError, HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid candles"),
    (InvalidInput, HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid request"),
    (TooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Request too large"),
    (NotFound, HTTPStatus.NOT_FOUND, "Not found"),
    (Forbidden, HTTPStatus.FORBIDDEN, "Forbidden"),
    (Conflict, HTTPStatus.CONFLICT, "Conflict"),
    (ModelError, HTTPStatus.SERVICE_UNAVAILABLE, "Model unavailable"),
    (Unavailable, HTTPStatus.SERVICE_UNAVAILABLE, "Service unavailable"),
    (CoinfarmError, HTTPStatus.SERVICE_UNAVAILABLE, "Service error"),
)
_UNEXPECTED = (HTTPStatus.INTERNAL_SERVER_ERROR, "Internal server error")


def problem(error: Exception) -> dict[str, Any]:
    """The problem document of an error. The details of unexpected errors are not disclosed."""
    for kind, status, title in _KINDS:
        if isinstance(error, kind):
            return _document(kind.__name__, status, title, str(error), getattr(error, "errors", ()))
    status, title = _UNEXPECTED
    return _document("InternalError", status, title, "The error has been logged. Try again.", ())


def statuses() -> dict[int, str]:
    """Every status that a problem can have, and its title, for the OpenAPI document."""
    by_status: dict[int, str] = {}
    for kind, status, title in _KINDS:
        if kind is not CandleError:  # routes without candles have its status too
            by_status.setdefault(int(status), title)
    return dict(sorted({**by_status, int(_UNEXPECTED[0]): _UNEXPECTED[1]}.items()))


def _document(kind: str, status: HTTPStatus, title: str, detail: str, errors: tuple[ErrorDetail, ...]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "type": f"urn:coinfarm:problem:{kind}",
        "title": title,
        "status": int(status),
        "detail": shortened(detail, _MAX_DETAIL_LENGTH),
    }
    if errors:
        document["errors"] = [{"pointer": error.pointer, "detail": error.detail} for error in errors]
    return document
