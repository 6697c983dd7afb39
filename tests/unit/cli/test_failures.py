"""Commands after Ctrl-C, in a separate process, because a signal goes to a whole process."""

import subprocess
import sys

import pytest

from coinfarm.cli.failures import on_interrupt

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
