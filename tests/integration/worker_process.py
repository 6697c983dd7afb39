"""A worker as a process of its own, over an engine that answers with a number and takes ENGINE_S seconds for a batch.

With CLOCK_JUMPS the wall clock is a day ahead or behind each time that it is asked. KILL_AFTER is what the process does last: receive a
message, predict, or write.
"""

import os
import random
import signal
import sys
import time

import numpy as np

from coinfarm import service
from coinfarm.errors import CoinfarmError
from coinfarm.queue import Queue
from coinfarm.storage.folder import FolderStorage
from handler.worker import main
from tests.fake_models import FakeEngine


class SlowEngine(FakeEngine):
    def predict(self, frames):
        if not frames.any():  # the manager warms a model up with empty ones
            return np.full((len(frames), 3), self.value, np.float32)
        time.sleep(float(os.environ.get("ENGINE_S", "0")))
        return super().predict(frames)


def jumping(clock):
    return lambda: clock() + random.choice([-86_400, 86_400])


def last(method):
    """The method, after which the process is killed, where it gave something."""

    def do(*arguments, **named):
        if (given := method(*arguments, **named)) is not None and len(given):
            os.kill(os.getpid(), signal.SIGKILL)
        return given

    return do


LAST = {"receive": Queue, "predict": FakeEngine, "write": FolderStorage}


if __name__ == "__main__":
    service.load_engine = lambda bundle, *_: SlowEngine(bundle)
    if "CLOCK_JUMPS" in os.environ:
        time.time = jumping(time.time)
    if kill_after := os.environ.get("KILL_AFTER"):
        setattr(LAST[kill_after], kill_after, last(getattr(LAST[kill_after], kill_after)))
    try:
        sys.exit(main())
    except CoinfarmError as error:
        sys.exit(str(error))
