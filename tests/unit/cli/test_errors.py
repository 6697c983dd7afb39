"""How commands end after Ctrl-C."""

import os
import signal

import pytest

from coinfarm.cli.errors import Interrupted, on_interrupt


def interrupt_as(error: type[BaseException]) -> None:
    """As a library does that catches KeyboardInterrupt and raises an error of its own."""
    try:
        os.kill(os.getpid(), signal.SIGINT)
        signal.sigtimedwait([], 1)
    except KeyboardInterrupt:
        raise error from None


@pytest.mark.parametrize("error", [KeyboardInterrupt, TypeError, RuntimeError])
def test_whatever_comes_of_ctrl_c_is_an_interruption(error: type[BaseException]) -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted, match="all is kept"), on_interrupt("all is kept"):
        interrupt_as(error)
    assert signal.getsignal(signal.SIGINT) is before


def test_without_ctrl_c_an_error_stays_what_it_is() -> None:
    with pytest.raises(TypeError), on_interrupt("all is kept"):
        raise TypeError
