"""The start of the `coinfarm` command, and `python -m coinfarm`: Ctrl-C ends it in one line from the first moment on."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager


def main() -> None:
    """Run the command with the arguments of this process."""
    with _exit_on_interrupt():
        from coinfarm.cli import main as command
    command()


@contextmanager
def _exit_on_interrupt() -> Iterator[None]:
    """Let Ctrl-C end the process at once: while modules load, libraries print tracebacks of it or ignore it. Nothing is written yet."""
    previous = signal.getsignal(signal.SIGINT)
    if not callable(previous):  # ignored, as under nohup
        yield
        return
    signal.signal(signal.SIGINT, _exit)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


def _exit(*_: object) -> None:
    os.write(2, b"Stopped. No file was left half-written.\n")
    os._exit(128 + signal.SIGINT)


if __name__ == "__main__":
    main()
