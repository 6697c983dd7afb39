import pytest

from coinfarm import errors
from coinfarm.errors import ErrorDetail
from handler.problems import MethodNotAllowed, RouteNotFound, UnsupportedMediaType, problem, statuses


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.MalformedRequest(ErrorDetail("", "x")), 400),
        (errors.InvalidInput(ErrorDetail("", "x")), 422),
        (errors.CandleError(ErrorDetail("", "x")), 422),
        (UnsupportedMediaType(ErrorDetail("", "x")), 415),
        (RouteNotFound(ErrorDetail("", "x")), 404),
        (MethodNotAllowed(ErrorDetail("", "x")), 405),
        (errors.TooLarge("x"), 413),
        (errors.ModelError("x"), 503),
        (errors.NotFound("x"), 404),
        (errors.Forbidden("x"), 403),
        (errors.Conflict("x"), 409),
        (errors.Unavailable("x"), 503),
        (errors.StorageError("x"), 503),
        (errors.CoinfarmError("x"), 503),
        (ValueError("x"), 500),
    ],
    ids=lambda part: type(part).__name__ if isinstance(part, Exception) else "",
)
def test_status_of_each_error(error, status):
    document = problem(error)
    assert document["status"] == status
    assert status in statuses()


def every_error(kind=errors.CoinfarmError):
    return {kind}.union(*map(every_error, kind.__subclasses__()))


@pytest.mark.parametrize("kind", sorted(every_error(), key=lambda kind: kind.__name__), ids=lambda kind: kind.__name__)
def test_no_coinfarm_error_is_an_internal_error(kind):
    error = kind(ErrorDetail("/x", "y")) if issubclass(kind, errors.InvalidInput) else kind("y")
    document = problem(error)
    assert document["status"] != 500
    assert "y" in document["detail"]


def test_problem_documents_follow_rfc_9457():
    document = problem(errors.CandleError(ErrorDetail("/candles/7/high", "is low"), ErrorDetail("/candles/9/open", "is high")))
    assert list(document) == ["type", "title", "status", "detail", "errors"]
    assert (document["type"], document["status"]) == ("urn:coinfarm:problem:CandleError", 422)
    assert document["errors"] == [{"pointer": "/candles/7/high", "detail": "is low"}, {"pointer": "/candles/9/open", "detail": "is high"}]
