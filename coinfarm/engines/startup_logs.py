"""Suppresses TensorFlow's startup messages, which its C++ code writes to stderr before any log setting applies."""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

_STARTUP_LINE = re.compile(rb"WARNING: All log messages before absl|[IWE]\d{4} |To enable the following instructions: ")


@contextmanager
def suppress_startup_logs() -> Iterator[None]:
    """Buffer the process' stderr, then write it without the startup messages; after an error, write all of it."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as buffer:
        os.dup2(buffer.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
            buffer.seek(0)
            shown = [line for line in buffer if failed or not _STARTUP_LINE.match(line)]
            os.write(2, b"".join(shown))
