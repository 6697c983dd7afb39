"""A worker process with a fake engine that takes ENGINE_S seconds per batch.

With CLOCK_JUMPS, each read of the wall clock is a day ahead or behind.
"""

import os
import random
import sys
import time

from coinfarm.errors import CoinfarmError
from coinfarm.serving import service
from handler.worker import main
from tests.support.fake_models import FakeEngine


class SlowEngine(FakeEngine):
    def predict(self, frames):
        if frames.any():  # the model manager warms a model up with empty frames
            time.sleep(float(os.environ.get("ENGINE_S", "0")))
        return super().predict(frames)


def jumping(clock):
    return lambda: clock() + random.choice([-86_400, 86_400])


if __name__ == "__main__":
    service.load_engine = lambda bundle, *_: SlowEngine(bundle)
    if "CLOCK_JUMPS" in os.environ:
        time.time = jumping(time.time)
    try:
        sys.exit(main())
    except CoinfarmError as error:
        sys.exit(str(error))
