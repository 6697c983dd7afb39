"""Keeps TensorFlow's greetings off the terminal: its C++ code writes them to stderr before any setting of its logs applies."""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

_GREETING = re.compile(rb"WARNING: All log messages before absl|[IWE]\d{4} |To enable the following instructions: ")


@contextmanager
def suppress_startup_logs() -> Iterator[None]:
    """Hold back what the process writes to stderr meanwhile, and let through what is no greeting. On an error, all of it."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
            held.seek(0)
            kept = [line for line in held if failed or not _GREETING.match(line)]
            os.write(2, b"".join(kept))
