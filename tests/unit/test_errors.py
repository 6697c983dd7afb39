import inspect

from coinfarm import errors
from coinfarm.errors import CandleError, CoinfarmError, ErrorDetail, InvalidInput


def test_every_error_class_is_reported_without_a_traceback():
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]
    found = [kind for kind in kinds if issubclass(kind, Exception) and not issubclass(kind, Warning)]
    assert len(found) > 10
    assert all(issubclass(kind, CoinfarmError) for kind in found)


def test_a_request_error_lists_all_its_faults_in_one_line():
    error = CandleError(ErrorDetail("/candles/3/high", "is below the open"), ErrorDetail("", "and so on"))
    assert isinstance(error, InvalidInput)
    assert str(error) == "/candles/3/high: is below the open; and so on"
    assert [item.pointer for item in error.errors] == ["/candles/3/high", ""]
