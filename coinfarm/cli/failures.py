"""Error handling of commands: one line for the user, an exit code for scripts, no traceback."""

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
_NOTHING_HALF_WRITTEN = "No file was left half-written."
_CLOSED_PIPE = 128 + signal.SIGPIPE
_DISK_FULL_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_DISK_FULL_MESSAGE = os.strerror(errno.ENOSPC)


class Interrupted(click.ClickException):
    """The command was interrupted by Ctrl-C. The message says what is kept and how to continue."""

    exit_code = INTERRUPTED

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"Stopped. {self.format_message()}", file=file, err=file is None)


@contextmanager
def on_interrupt(message: str) -> Iterator[None]:
    """Turn Ctrl-C into `Interrupted` with this message.

    Any exception after Ctrl-C counts: TensorFlow may turn a KeyboardInterrupt into a TypeError.
    """
    with _record_sigint() as was_interrupted:
        try:
            yield
        except (KeyboardInterrupt, Exception) as error:
            if isinstance(error, Exception) and not was_interrupted():
                raise
            atexit.register(_discard, 2)  # TensorFlow prints errors at exit about iterators that were interrupted
            raise Interrupted(message) from None


@contextmanager
def deferred_interrupt() -> Iterator[None]:
    """Let Ctrl-C wait for the end of the block. For imports: pydantic ignores a KeyboardInterrupt while it builds schemas."""
    previous = signal.getsignal(signal.SIGINT)
    if not callable(previous) or threading.current_thread() is not threading.main_thread():
        yield
        return
    seen = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: seen.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
        if seen.is_set():
            previous(signal.SIGINT, None)


@contextmanager
def _record_sigint() -> Iterator[Callable[[], bool]]:
    """Yields a function that returns whether SIGINT has arrived since. The previous handler still runs."""
    previous = signal.getsignal(signal.SIGINT)
    if not callable(previous) or threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    seen = threading.Event()

    def handle(number: int, frame: FrameType | None) -> None:
        seen.set()
        previous(number, frame)

    signal.signal(signal.SIGINT, handle)
    try:
        yield seen.is_set
    finally:
        signal.signal(signal.SIGINT, previous)


class ErrorGroup(click.Group):
    """A group that prints errors of the user or the system as one line, without a traceback.

    The exit code is 1; 130 after Ctrl-C; 141 if the reader of the output has closed it, as `head` does.
    """

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        try:
            return super().make_context(*arguments, **options)
        except KeyboardInterrupt:
            raise Interrupted(_NOTHING_HALF_WRITTEN) from None

    def invoke(self, context: click.Context) -> Any:
        try:
            try:
                return super().invoke(context)
            finally:
                if sys.stdout is not None:
                    sys.stdout.flush()  # here, so that a full disk is reported
        except CoinfarmError as error:
            raise click.ClickException(str(error)) from None
        except ModuleNotFoundError as error:
            missing = missing_package(error, "this command")
            if missing is None:
                raise
            raise click.ClickException(str(missing)) from None
        except KeyboardInterrupt:
            raise Interrupted(_NOTHING_HALF_WRITTEN) from None
        except BrokenPipeError:
            _discard_output()
            raise SystemExit(_CLOSED_PIPE) from None
        except OSError as error:
            if error.filename is None and error.errno in _DISK_FULL_ERRNOS:
                error.filename = "standard output or a temporary file"  # errors of other files have a name
                _discard_output()
            raise click.ClickException(system_error_text(error)) from None
        except click.ClickException:
            raise
        except Exception as error:
            if _DISK_FULL_MESSAGE not in str(error):  # some libraries raise their own exception with the system's message
                raise
            raise click.ClickException(system_error_text(OSError(errno.ENOSPC, _DISK_FULL_MESSAGE))) from None


def _discard_output() -> None:
    """Redirect stdout to the null device, so that the interpreter does not fail again at exit."""
    with suppress(OSError, ValueError):
        _discard(sys.stdout.fileno())


def _discard(descriptor: int) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
