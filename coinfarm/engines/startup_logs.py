"""Suppresses TensorFlow's startup messages, which its C++ code writes to stderr before any log setting applies."""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from coinfarm.errors import CoinfarmError

_STARTUP_LINE = re.compile(rb"WARNING: All log messages before absl|[IWE]\d{4} |\t \[\[\{\{node |To enable the following instructions: ")


@contextmanager
def suppress_startup_logs() -> Iterator[None]:
    """Buffer the process' stderr, then write it without the startup messages; after an unexpected error, write all of it."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as buffer:
        os.dup2(buffer.fileno(), 2)
        is_unexpected = True
        try:
            yield
            is_unexpected = False
        except CoinfarmError:
            is_unexpected = False  # it says all that a person needs
            raise
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
            buffer.seek(0)
            shown = [line for line in buffer if is_unexpected or not _STARTUP_LINE.match(line)]
            os.write(2, b"".join(shown))
