"""Commands after Ctrl-C, in a separate process, because a signal goes to a whole process."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from coinfarm.cli.failures import INTERRUPTED, ErrorGroup, deferred_interrupt, on_interrupt

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


DEFERRED = """
import signal, sys
from coinfarm.cli.failures import deferred_interrupt

signal.signal(signal.SIGINT, signal.default_int_handler)

@deferred_interrupt()
def interrupted():
    signal.raise_signal(signal.SIGINT)
    print("continued")
    if sys.argv[1] == "fails":
        raise ImportError

try:
    interrupted()
except KeyboardInterrupt:
    print("interrupted", signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""


@pytest.mark.parametrize("block", ["succeeds", "fails"])
def test_a_deferred_ctrl_c_arrives_at_the_end_of_the_block_and_outweighs_its_error(block):
    done = subprocess.run([sys.executable, "-c", DEFERRED, block], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "continued\ninterrupted True\n", "")


def test_a_block_without_ctrl_c_is_not_changed():
    with deferred_interrupt():
        pass


def test_ctrl_c_while_options_are_read_is_an_interruption() -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    group = ErrorGroup("group", params=[click.Option(["--stack"], callback=interrupt)])
    group.add_command(click.Command("command"))
    result = CliRunner().invoke(group, ["command"])
    assert (result.exit_code, len(result.output.splitlines())) == (INTERRUPTED, 1)
