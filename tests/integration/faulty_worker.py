"""`coinfarm worker` with faults that environment variables choose.

KILL_AT: kill the process at that point. KILLER: kill it at that shard. CLOCK_JUMP_S: let the wall clock jump at the first message.
ENGINE_S: the minimum duration of a batch. MEET: a folder in which two workers wait for each other before they write their first result.
S3_TIMEOUT_S, FIRST_RETRY_S, FIRST_PAUSE_S: shorter timeouts. FILE_BYTES: the maximum size of a file, to simulate a full disk.
"""

import os
import resource
import signal
import time
from functools import wraps
from pathlib import Path

_time, _time_ns = time.time, time.time_ns
jumped_s = 0.0
# Before other imports, because some modules store the function.
time.time = lambda: _time() + jumped_s
time.time_ns = lambda: _time_ns() + round(jumped_s * 1e9)

from coinfarm.aws import client  # noqa: E402
from coinfarm.aws.sqs import Queue  # noqa: E402
from coinfarm.backfill.shard_job import ShardJob  # noqa: E402
from coinfarm.cli import main  # noqa: E402
from coinfarm.engines.openvino_graph import OpenVinoGraph  # noqa: E402
from handler import worker_thread  # noqa: E402

MEET_TIMEOUT_S = 60


def kill_at(point):
    if os.environ.get("KILL_AT") == point:
        os.kill(os.getpid(), signal.SIGKILL)
        signal.pause()  # other threads must stop too


def replaces(owner, name):
    """Decorate a function that replaces a method and gets the original as its first argument."""

    def decorate(function):
        original = getattr(owner, name)
        setattr(owner, name, wraps(original)(lambda *args, **options: function(original, *args, **options)))

    return decorate


@replaces(Queue, "receive")
def receive(original, *args, **options):
    global jumped_s
    messages = original(*args, **options)
    if messages:
        jumped_s = float(os.environ.get("CLOCK_JUMP_S", "0"))
    return messages


batches = 0


@replaces(OpenVinoGraph, "start")
def start(original, self, batch, fill=None):
    global batches
    if batch.any():  # the model manager warms a model up with empty frames
        batches += 1
        time.sleep(float(os.environ.get("ENGINE_S", "0")))
        if batches == 2:
            kill_at("in the engine")
    return original(self, batch, fill)


@replaces(ShardJob, "series")
def series(original, self):
    if str(self.shard) == os.environ.get("KILLER"):
        os.kill(os.getpid(), signal.SIGKILL)
    return original(self)


@replaces(ShardJob, "write")
def write(original, self, *args):
    if "MEET" in os.environ:
        meet(Path(os.environ.pop("MEET")), self.shard)
    original(self, *args)
    kill_at("after a write")


def meet(folder, shard):
    (folder / str(os.getpid())).write_text(str(shard))
    deadline = time.monotonic() + MEET_TIMEOUT_S
    while len(list(folder.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)


@replaces(Queue, "delete")
def delete(original, *args):
    kill_at("before the delete")
    return original(*args)


@replaces(client, "Config")
def config(original, **options):
    return original(**options | {"read_timeout": float(os.environ.get("S3_TIMEOUT_S", options["read_timeout"]))})


if __name__ == "__main__":
    worker_thread._INITIAL_RETRY_S = int(os.environ.get("FIRST_RETRY_S", worker_thread._INITIAL_RETRY_S))
    worker_thread._INITIAL_PAUSE_S = float(os.environ.get("FIRST_PAUSE_S", worker_thread._INITIAL_PAUSE_S))
    if "FILE_BYTES" in os.environ:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(os.environ["FILE_BYTES"]),) * 2)
    main(["worker"])
