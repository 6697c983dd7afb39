import os

import pytest

from coinfarm.engines.startup_logs import suppress_startup_logs
from coinfarm.errors import ModelError

STARTUP = b"I0000 00:00:1795818877.291867   13820 port.cc:153] oneDNN custom operations are on.\n"


def test_only_startup_messages_are_suppressed(capfd: pytest.CaptureFixture[str]) -> None:
    with suppress_startup_logs():
        os.write(2, STARTUP + b"something else\n")
    assert capfd.readouterr().err == "something else\n"


@pytest.mark.parametrize(("error", "is_shown"), [(ModelError("two inputs"), False), (RuntimeError("of TensorFlow"), True)])
def test_they_are_shown_before_an_unexpected_error(error: Exception, is_shown: bool, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(type(error)):
        _fail(error)
    assert (capfd.readouterr().err == STARTUP.decode()) == is_shown


def _fail(error: Exception) -> None:
    with suppress_startup_logs():
        os.write(2, STARTUP)
        raise error
