"""A child process that ends with its parent, however the parent ends."""

import os
import threading

_STANDARD_INPUT = 0


def end_with_parent() -> None:
    """Exit at once when standard input closes. The parent holds its other end."""
    threading.Thread(target=_exit_at_end_of_input, name="parent", daemon=True).start()


def _exit_at_end_of_input() -> None:
    while os.read(_STANDARD_INPUT, 1):  # not sys.stdin, whose lock the interpreter needs at exit
        pass
    os._exit(1)  # without draining: the messages in progress become visible in the queue again
