import pytest

from coinfarm import errors
from coinfarm.errors import ErrorDetail
from handler.problems import MethodNotAllowed, RouteNotFound, UnsupportedMediaType, problem, statuses

STATUSES = {
    errors.MalformedRequest: 400,
    errors.InvalidInput: 422,
    errors.CandleError: 422,
    UnsupportedMediaType: 415,
    RouteNotFound: 404,
    MethodNotAllowed: 405,
    errors.TooLarge: 413,
    errors.ModelError: 503,
    errors.NotFound: 404,
    errors.Forbidden: 403,
    errors.Conflict: 409,
    errors.Unavailable: 503,
}
"""Any other `CoinfarmError` is a 503."""


def every_error(kind=errors.CoinfarmError):
    return {kind}.union(*map(every_error, kind.__subclasses__()))


@pytest.mark.parametrize("kind", sorted(every_error(), key=lambda kind: kind.__name__), ids=lambda kind: kind.__name__)
def test_status_of_each_error(kind):
    error = kind(ErrorDetail("/x", "y")) if issubclass(kind, errors.InvalidInput) else kind("y")
    document = problem(error)
    assert document["status"] == STATUSES.get(kind, 503)
    assert document["status"] in statuses()
    assert "y" in document["detail"]


def test_details_of_unexpected_errors_are_not_disclosed():
    document = problem(ValueError("secret"))
    assert document["status"] == 500
    assert "secret" not in str(document)


def test_problem_documents_follow_rfc_9457():
    document = problem(errors.CandleError(ErrorDetail("/candles/7/high", "is low"), ErrorDetail("/candles/9/open", "is high")))
    assert list(document) == ["type", "title", "status", "detail", "errors"]
    assert (document["type"], document["status"]) == ("urn:coinfarm:problem:CandleError", 422)
    assert document["errors"] == [{"pointer": "/candles/7/high", "detail": "is low"}, {"pointer": "/candles/9/open", "detail": "is high"}]
