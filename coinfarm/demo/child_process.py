"""A process that does not outlive the one that started it, however that ends."""

import os
import threading

_STANDARD_INPUT = 0


def end_with_parent() -> None:
    """End this process at once when its standard input does, whose other end the parent holds."""
    threading.Thread(target=_end_with_input, name="parent", daemon=True).start()


def _end_with_input() -> None:
    while os.read(_STANDARD_INPUT, 1):  # not sys.stdin, whose lock the interpreter wants when it ends
        pass
    os._exit(1)  # what is in hand goes back to the queue by itself; there is nobody to drain for
