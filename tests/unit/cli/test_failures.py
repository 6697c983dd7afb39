"""Commands after Ctrl-C, in a separate process, because a signal goes to a whole process."""

import signal
import subprocess
import sys

import pytest

from coinfarm.cli.failures import deferred_interrupt, on_interrupt

INTERRUPT = """
import atexit, builtins, os, signal, sys, time
from coinfarm.cli.failures import Interrupted, on_interrupt

atexit.register(os.write, 2, b"a library's error at exit")
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    with on_interrupt("all is kept"):
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(10)
        except KeyboardInterrupt:  # like a library that raises its own error
            raise getattr(builtins, sys.argv[1]) from None
except Interrupted as interrupted:
    print(interrupted.message, signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""


@pytest.mark.parametrize("error", ["KeyboardInterrupt", "TypeError", "RuntimeError"])
def test_any_exception_after_ctrl_c_is_an_interruption(error):
    done = subprocess.run([sys.executable, "-c", INTERRUPT, error], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "all is kept True\n", "")


def test_exceptions_without_ctrl_c_are_not_changed():
    with pytest.raises(TypeError), on_interrupt("all is kept"):
        raise TypeError


@pytest.fixture
def default_handler():
    """Python's handler of Ctrl-C, also where the tests run in the background, where it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("default_handler")
def test_a_deferred_ctrl_c_arrives_at_the_end_of_the_block():
    steps = []

    @deferred_interrupt()
    def interrupted():
        signal.raise_signal(signal.SIGINT)
        steps.append("continued")

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert steps == ["continued"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with deferred_interrupt():
        pass


@pytest.mark.usefixtures("default_handler")
def test_a_deferred_ctrl_c_outweighs_an_error():
    @deferred_interrupt()
    def interrupted():
        signal.raise_signal(signal.SIGINT)
        raise ImportError

    with pytest.raises(KeyboardInterrupt):
        interrupted()
