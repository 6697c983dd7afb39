"""How a command ends when something goes wrong: one line for a person, an exit code for a script, no traceback."""

import atexit
import errno
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import IO, Any

import click

from coinfarm.errors import CoinfarmError, system_error_text
from coinfarm.extras import missing_package

INTERRUPTED = 128 + signal.SIGINT
_CLOSED_PIPE = 128 + signal.SIGPIPE
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FULL_DISK = os.strerror(errno.ENOSPC)


class Interrupted(click.ClickException):
    """Ctrl-C ended the command. The message says what is kept, and how to go on."""

    exit_code = INTERRUPTED

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"Stopped. {self.format_message()}", file=file, err=file is None)


@contextmanager
def on_interrupt(message: str) -> Iterator[None]:
    """After Ctrl-C the command ends with this message, which says what is kept and how to go on.

    Any exception after Ctrl-C counts: inside TensorFlow, a KeyboardInterrupt may come out as a TypeError.
    """
    with _noticing_sigint() as was_interrupted:
        try:
            yield
        except (KeyboardInterrupt, Exception) as error:
            if isinstance(error, Exception) and not was_interrupted():
                raise
            atexit.register(_discard, 2)  # where TensorFlow complains of its iterators, which it finds cut off
            raise Interrupted(message) from None


@contextmanager
def _noticing_sigint() -> Iterator[Callable[[], bool]]:
    """Yields whether there was a SIGINT meanwhile. Its handler works as before."""
    before = signal.getsignal(signal.SIGINT)
    if not callable(before) or threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    seen = threading.Event()

    def notice(number: int, frame: FrameType | None) -> None:
        seen.set()
        before(number, frame)

    signal.signal(signal.SIGINT, notice)
    try:
        yield seen.is_set
    finally:
        signal.signal(signal.SIGINT, before)


class ErrorGroup(click.Group):
    """Prints what a user or the system did wrong as one line, without a traceback.

    The exit code is 1; 130 after Ctrl-C; 141 where the reader of the output has closed it, as `head` does.
    """

    def invoke(self, context: click.Context) -> Any:
        try:
            try:
                return super().invoke(context)
            finally:
                if sys.stdout is not None:
                    sys.stdout.flush()  # now, so that a full disk is reported
        except CoinfarmError as error:
            raise click.ClickException(str(error)) from None
        except ModuleNotFoundError as error:
            missing = missing_package(error, "this command")
            if missing is None:
                raise
            raise click.ClickException(str(missing)) from None
        except KeyboardInterrupt:
            raise Interrupted("No file was left half-written.") from None
        except BrokenPipeError:
            _discard_output()
            raise SystemExit(_CLOSED_PIPE) from None
        except OSError as error:
            if error.filename is None and error.errno in _NO_ROOM:
                error.filename = "standard output or a temporary file"  # writes to other files name theirs
                _discard_output()
            raise click.ClickException(system_error_text(error)) from None
        except click.ClickException:
            raise
        except Exception as error:
            if _FULL_DISK not in str(error):  # some libraries pass on the system's words, but not its exception
                raise
            raise click.ClickException(system_error_text(OSError(errno.ENOSPC, _FULL_DISK))) from None


def _discard_output() -> None:
    """Lets the interpreter end without writing again what nobody takes."""
    with suppress(OSError, ValueError):
        _discard(sys.stdout.fileno())


def _discard(descriptor: int) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
