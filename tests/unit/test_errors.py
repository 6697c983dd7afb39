import inspect

import pytest

from coinfarm import errors
from coinfarm.errors import CandleError, CoinfarmError, Conflict, Fault, Forbidden, NotFound, RequestError, StorageError, Unavailable


def test_every_error_is_meant_for_a_person() -> None:
    """A person gets one line for these, and a traceback for any other."""
    found = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)]
    assert len(found) > 10
    assert all(issubclass(kind, CoinfarmError) for kind in found)


@pytest.mark.parametrize("kind", [NotFound, Conflict, Forbidden, Unavailable])
def test_what_a_storage_raises_is_a_storage_error(kind: type[Exception]) -> None:
    assert issubclass(kind, StorageError)


def test_a_request_error_says_all_its_faults_in_one_line() -> None:
    error = CandleError(Fault("/candles/3/high", "is below the open"), Fault("", "and so on"))
    assert isinstance(error, RequestError)
    assert str(error) == "/candles/3/high: is below the open; and so on"
    assert [fault.pointer for fault in error.faults] == ["/candles/3/high", ""]
