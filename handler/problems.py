"""Errors as problem documents (RFC 9457): one table, from an error's class to its HTTP status."""

from http import HTTPStatus
from typing import Any

from coinfarm.errors import (
    CandleError,
    CoinfarmError,
    Conflict,
    Fault,
    Forbidden,
    MalformedRequest,
    ModelError,
    NotFound,
    RequestError,
    TooLarge,
    Unavailable,
    shortened,
)

CONTENT_TYPE = "application/problem+json"
_MAX_DETAIL_LENGTH = 4000


class UnsupportedMediaType(RequestError):
    """A body of a kind that the route does not take."""


class NoSuchRoute(RequestError):
    """A path that is not served."""


class MethodNotAllowed(RequestError):
    """A method that the path does not take."""


_KINDS: tuple[tuple[type[Exception], HTTPStatus, str], ...] = (
    (MalformedRequest, HTTPStatus.BAD_REQUEST, "The request cannot be read"),
    (UnsupportedMediaType, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body's media type is not taken here"),
    (NoSuchRoute, HTTPStatus.NOT_FOUND, "There is no such thing"),
    (MethodNotAllowed, HTTPStatus.METHOD_NOT_ALLOWED, "The path does not take this method"),
    (CandleError, HTTPStatus.UNPROCESSABLE_ENTITY, "The candles cannot be"),
    (RequestError, HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not valid"),
    (TooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The request is too large"),
    (NotFound, HTTPStatus.NOT_FOUND, "There is no such thing"),
    (Forbidden, HTTPStatus.FORBIDDEN, "That place is not open"),
    (Conflict, HTTPStatus.CONFLICT, "Somebody else was there first"),
    (ModelError, HTTPStatus.SERVICE_UNAVAILABLE, "No model can serve"),
    (Unavailable, HTTPStatus.SERVICE_UNAVAILABLE, "A service behind this one does not answer"),
    (CoinfarmError, HTTPStatus.SERVICE_UNAVAILABLE, "The service is not set up"),
)
_UNEXPECTED = (HTTPStatus.INTERNAL_SERVER_ERROR, "An error of ours")


def problem(error: Exception) -> dict[str, Any]:
    """The problem document of an error. An error that is not meant for a person tells nothing of itself."""
    for kind, status, title in _KINDS:
        if isinstance(error, kind):
            return _document(kind.__name__, status, title, str(error), getattr(error, "faults", ()))
    status, title = _UNEXPECTED
    return _document("InternalError", status, title, "It has been logged; the request can be tried again.", ())


def statuses() -> dict[int, str]:
    """Every status that a problem can have, with its title, for the API's document."""
    by_status: dict[int, str] = {}
    for _, status, title in _KINDS:
        by_status.setdefault(int(status), title)
    return dict(sorted({**by_status, int(_UNEXPECTED[0]): _UNEXPECTED[1]}.items()))


def _document(kind: str, status: HTTPStatus, title: str, detail: str, faults: tuple[Fault, ...]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "type": f"urn:coinfarm:problem:{kind}",
        "title": title,
        "status": int(status),
        "detail": shortened(detail, _MAX_DETAIL_LENGTH),
    }
    if faults:
        document["errors"] = [{"pointer": fault.pointer, "detail": fault.detail} for fault in faults]
    return document
